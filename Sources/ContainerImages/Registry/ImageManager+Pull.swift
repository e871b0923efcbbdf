import LinuxKernel

/// What a pull does to the store: each step durable, nothing of a broken pull visible.
extension ImageManager {
    /// The image of a name and whether whoever has `credentials` may use it without asking the registry.
    public func find(
        _ reference: ImageReference, credentials: [RegistryCredential]
    ) -> (image: StoredImage, isPermitted: Bool)? {
        guard let id = visible.first(where: { $0.matches(reference) })?.id, let image = image(id) else { return nil }
        let access = records[id]?.access
        return (image, access?.permits(repository: reference.name, credentials: credentials) ?? true)
    }

    /// Those that are sound and not being removed.
    private var visible: [ImageRecord] { records.values.filter { !leaving.contains($0.id) && isSound($0) } }

    /// As ``find(_:credentials:)`` for an ID, or whatever else ``resolve(_:)`` takes: everything that opens it under one of
    /// its names counts.
    public func find(id: String, keyring: RegistryKeyring) -> (image: StoredImage, isPermitted: Bool)? {
        guard let found = identify(id), let image = image(found) else { return nil }
        guard let access = records[found]?.access else { return (image, true) }
        let credentials = keyring.entries.map(\.credential)
        return (image, access.permits(repository: nil, credentials: credentials))
    }

    /// The image under `reference`, when the registry's answer `digest` is what it was pulled from; then whoever asked may
    /// use it from now on.
    func confirm(
        _ reference: ImageReference, digest: ContentDigest, credential: RegistryCredential?
    ) async throws(ImageError) -> StoredImage? {
        guard
            let record = visible.first(where: {
                $0.matches(reference) && $0.pulledDigests.contains("\(reference.name)@\(digest)")
            })
        else { return nil }
        guard var access = record.access else { return image(record.id) }
        access.record(repository: reference.name, credential: credential)
        if access != record.access {
            var changed = record
            changed.access = access
            try await store(changed)
        }
        return image(record.id)
    }

    private func store(_ record: ImageRecord) async throws(ImageError) {
        try await turns.run { () async throws(ImageError) in try await self.storeInTurn(record) }
    }

    private func storeInTurn(_ record: ImageRecord) async throws(ImageError) {
        guard records[record.id] != nil else { return }
        var changed = records
        changed[record.id]?.access = record.access
        let (index, next) = (index, Array(changed.values))
        try await KernelThreadPool.shared.run { () throws(ImageError) in try index.store(next) }
        records = changed
    }

    // MARK: Layers

    func hasLayer(_ chainID: ContentDigest) -> Bool { layerRecords[chainID]?.isBroken == false }

    /// Keeps layers from being removed while a pull stands on them.
    func hold(_ chain: [ContentDigest]) throws(ImageError) {
        try requireStarted()
        for layer in Set(chain) { heldLayers[layer, default: 0] += 1 }
    }

    func release(_ chain: [ContentDigest]) {
        for layer in Set(chain) {
            heldLayers[layer] = heldLayers[layer].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }

    /// Overlay lower directories of the layers `below`, topmost first.
    private func directories(_ below: [ContentDigest]) -> [String] {
        var found: [String] = []
        for layer in below {
            guard let record = layerRecords[layer] else { break }
            found.append(layerStore.diffDirectory(layer))
            if record.opaqueRoot { break }
        }
        return found
    }

    /// Takes an unpacked layer in: fitted onto those below it, on disk, and then under its name.
    ///
    /// - Parameter below: chain identifiers of the layers it stands on, topmost first; all are there.
    func addLayer(
        _ layer: UnpackedLayer, staging: String, chainID: ContentDigest, diffID: ContentDigest, below: [ContentDigest]
    ) async throws(ImageError) {
        let lowers = layer.opaqueRoot ? [] : directories(below)
        let record = LayerRecord(
            chainID: chainID, diffID: diffID, bytes: layer.bytes, inodes: Int64(layer.inodes),
            opaqueRoot: layer.opaqueRoot)
        let store = layerStore
        try await KernelThreadPool.shared.run { () throws(ImageError) in
            try layer.finish(
                directory: store.stagingDiffDirectory(staging), lowers: lowers, subject: "layer \(diffID)")
            try store.makeDurable([(staging, record)])
        }
        try await turns.run { () async throws(ImageError) in
            try await self.publish(staging: staging, record)
        }
    }

    private func publish(staging: String, _ record: LayerRecord) async throws(ImageError) {
        // An import was faster.
        guard layerRecords[record.chainID]?.isBroken != false else { return await discard(staging: staging) }
        let store = layerStore
        try await KernelThreadPool.shared.run { () throws(ImageError) in try store.publish([(staging, record)]) }
        layerRecords[record.chainID] = record
    }

    nonisolated func discard(staging: String) async {
        let store = layerStore
        // What cannot be removed now is removed at the next start.
        _ = await KernelThreadPool.shared.run { try? store.discard(staging) }
    }

    nonisolated func stagingDirectory(_ staging: String) -> String { layerStore.stagingDiffDirectory(staging) }

    nonisolated func makeStaging() async throws(ImageError) -> String {
        let store = layerStore
        return try await KernelThreadPool.shared.run { () throws(ImageError) in try store.makeStaging() }
    }

    // MARK: The image

    /// The last step: documents, record and index, in this order. All layers are there and held.
    func install(_ pulled: ResolvedManifest, access: ImageAccess) async throws(ImageError) -> StoredImage {
        try await turns.run { () async throws(ImageError) in try await self.installInTurn(pulled, access: access) }
    }

    private func installInTurn(_ pulled: ResolvedManifest, access: ImageAccess) async throws(ImageError) -> StoredImage
    {
        let size = pulled.chain.reduce(Int64(pulled.configBytes.count)) { $0 + (layerRecords[$1]?.bytes ?? 0) }
        let reference = pulled.reference
        let record = ImageRecord(
            id: pulled.configDigest, names: reference.digest == nil ? [reference.description] : [],
            manifest: pulled.manifestDigest, sizeBytes: size, layers: pulled.chain,
            pulledDigests: ["\(reference.name)@\(pulled.topDigest)"], access: access)
        var changed = records
        Self.adopt(record, in: &changed)
        let (content, index, next) = (content, index, Array(changed.values))
        try await KernelThreadPool.shared.run { () throws(ImageError) in
            try content.write(pulled.configBytes, expecting: pulled.configDigest)
            try content.write(pulled.manifestBytes, expecting: pulled.manifestDigest)
            try index.store(next)
        }
        records = changed
        documents[record.id] = pulled.document
        addition.yield()
        guard let image = image(record.id) else {
            throw ImageError(.storage, "image \(record.id): is not in the store it was just put into")
        }
        return image
    }

    /// Removes layers that no image has and no pull stands on: what broken pulls have left. Kept until now for a next try.
    func removeUnneededLayers() async throws(ImageError) {
        try await turns.run { () async throws(ImageError) in try await self.removeUnneededInTurn() }
    }

    private func removeUnneededInTurn() async throws(ImageError) {
        let needed = Set(records.values.flatMap(\.layers)).union(heldLayers.keys)
        let needless = layerRecords.keys.filter { !needed.contains($0) }
        guard !needless.isEmpty else { return }
        for layer in needless { layerRecords[layer] = nil }
        let store = layerStore
        try await KernelThreadPool.shared.run { () throws(ImageError) in
            for layer in needless { try store.remove(layer) }
        }
    }
}
