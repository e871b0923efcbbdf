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
    ///
    /// - Parameter signer: the fingerprint of the key that has vouched for it.
    func install(
        _ pulled: ResolvedManifest, access: ImageAccess, signer: String?
    ) async throws(ImageError) -> StoredImage {
        try await turns.run { () async throws(ImageError) in
            try await self.installInTurn(pulled, access: access, signer: signer)
        }
    }

    private func installInTurn(
        _ pulled: ResolvedManifest, access: ImageAccess, signer: String?
    ) async throws(ImageError) -> StoredImage {
        let size = pulled.chain.reduce(Int64(pulled.configBytes.count)) { $0 + (layerRecords[$1]?.bytes ?? 0) }
        let reference = pulled.reference
        let record = ImageRecord(
            id: pulled.configDigest, names: reference.digest == nil ? [reference.description] : [],
            manifest: pulled.manifestDigest, sizeBytes: size, layers: pulled.chain,
            pulledDigests: ["\(reference.name)@\(pulled.topDigest)"], access: access,
            signers: signer.map { [reference.name: [$0]] } ?? [:])
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
