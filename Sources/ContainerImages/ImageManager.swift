import LinuxKernel

/// The node's image store: what is in it, getting images in, and getting them out.
///
/// Every change is made by one task at a time, off the cooperative pool, and is durable before it returns; reading
/// answers from memory.
public actor ImageManager {
    private let root: String
    let limits: UnpackLimits
    let content: ContentStore
    let layerStore: LayerStore
    let index: ImageIndex
    let turns = TurnQueue()

    private var started = false
    var records: [ContentDigest: ImageRecord] = [:]
    var documents: [ContentDigest: ImageDocument] = [:]
    var layerRecords: [ContentDigest: LayerRecord] = [:]
    /// Layers that pulls under way stand on, and how many do.
    var heldLayers: [ContentDigest: Int] = [:]
    /// Layers that pulls have unpacked, and whether somebody takes them in.
    nonisolated let arrivals = LayerArrivals()
    var isTakingArrivals = false
    var ledger = ImageUsageLedger()
    /// Used since the ledger was brought up to date.
    var noted: Set<ContentDigest> = []
    /// Images that are being removed if nobody needs them: whoever looks for one finds none.
    var leaving: Set<ContentDigest> = []
    let usageFile: ImageUsageFile
    /// For hashing, which may take long: it holds up nothing else.
    let verifier = KernelThreadPool(threads: 1)
    /// An image has come. For one consumer.
    public nonisolated let additions: AsyncStream<Void>
    let addition: AsyncStream<Void>.Continuation

    /// Where layers are unpacked; in this process when there is none, which is for tests alone.
    nonisolated let jail: UnpackJail?

    /// `root` is the store's own directory (`/var/lib/swiftlet/images`); nothing is touched before ``start()``.
    public init(root: String, limits: UnpackLimits = UnpackLimits(), jail: UnpackJail) {
        self.init(root: root, limits: limits, confinement: jail)
    }

    init(root: String, limits: UnpackLimits, confinement: UnpackJail?) {
        self.root = root
        self.limits = limits
        jail = confinement
        content = ContentStore(root: root)
        layerStore = LayerStore(root: root)
        index = ImageIndex(root: root)
        usageFile = ImageUsageFile(root: root)
        (additions, addition) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Start

    /// Creates or recovers the store: removes what interrupted work left, reads the index or rebuilds it, and leaves
    /// out images that
    /// are no longer whole.
    @discardableResult
    public func start() async throws(ImageError) -> ImageRecovery {
        try await turns.run { () async throws(ImageError) in try await self.recover() }
    }

    private func recover() async throws(ImageError) -> ImageRecovery {
        let store = StoreRecovery(root: root, content: content, layers: layerStore, index: index, limits: limits)
        let file = usageFile
        let (found, usage) = try await KernelThreadPool.shared.run { () throws(ImageError) in
            (try store.run(), file.load())
        }
        ledger = usage
        records = found.records
        documents = found.documents
        layerRecords = found.layers
        started = true
        return found.report
    }

    // MARK: Reading

    /// All images, by first name, nameless ones last.
    public func list() -> [StoredImage] {
        records.keys.compactMap(image).sorted {
            ($0.names.isEmpty ? 1 : 0, $0.names.first ?? "", $0.id) < (
                $1.names.isEmpty ? 1 : 0, $1.names.first ?? "", $1.id
            )
        }
    }

    /// The image that `reference` names: a name (`busybox`, normalised), `name@sha256:…`, an ID, or the beginning of
    /// exactly one
    /// ID (at least 4 digits). `nil` when there is none or more than one.
    public func resolve(_ reference: String) -> StoredImage? {
        identify(reference).flatMap { image($0) }
    }

    /// overlayfs lower directories of an image, topmost first.
    public func layers(of image: StoredImage) -> [String] {
        var directories: [String] = []
        for text in image.layers.reversed() {
            guard let chainID = ContentDigest(text) else { continue }
            directories.append(layerStore.diffDirectory(chainID))
            // overlayfs ignores the opaque mark on a root, so what it hides is left out instead.
            if layerRecords[chainID]?.opaqueRoot == true { break }
        }
        return directories
    }

    /// What a container of this image has as root.
    public func rootFilesystem(of image: StoredImage) -> RootFilesystem {
        RootFilesystem(lowerDirectories: layers(of: image))
    }

    func image(_ id: ContentDigest) -> StoredImage? {
        guard let record = records[id], let document = documents[id] else { return nil }
        var image = record.image(document)
        image.isBroken = !isSound(record)
        image.isInUse = ledger.entries[id]?.isInUse == true
        image.lastUsedSeconds = ledger.entries[id]?.lastUsed
        return image
    }

    /// - Parameter hidden: finds those that are damaged, or being removed, as well.
    func identify(_ reference: String, hidden: Bool = false) -> ContentDigest? {
        let records = hidden ? records : records.filter { !leaving.contains($0.key) && isSound($0.value) }
        if let digest = ContentDigest(reference) {
            return records[digest] != nil ? digest : records.values.first { $0.manifest == digest }?.id
        }
        if let parsed = try? ImageReference(parsing: reference),
            let record = records.values.first(where: { $0.matches(parsed) })
        {
            return record.id
        }
        let digits = reference.hasPrefix("sha256:") ? reference.dropFirst(7) : reference[...]
        guard digits.utf8.count >= 4, digits.utf8.allSatisfy(ContentDigest.isDigit) else { return nil }
        let matches = records.keys.filter { $0.hexadecimal.hasPrefix(digits) }
        return matches.count == 1 ? matches[0] : nil
    }

    // MARK: Import

    /// Imports all images of a docker-archive or oci-archive file, itself compressed or not.
    ///
    /// - Parameters:
    ///   - name: the name to give instead of the archive's; for archives of one image. Taken away from the image that
    ///     has it now.
    ///   - isPinned: never collected: nobody may be able to get it here again.
    ///   - progress: called on another thread, at most once per 4 MiB read.
    /// - Throws: ``ImageError`` naming the archive, the entry and the reason; the store is then as it was.
    public func importArchive(
        path: String, name: String? = nil, isPinned: Bool = true,
        progress: @escaping @Sendable (ImportProgress) -> Void = { _ in }
    ) async throws(ImageError) -> [StoredImage] {
        var reference: ImageReference?
        if let name {
            let parsed = try ImageReference(parsing: name)
            guard parsed.digest == nil else {
                throw ImageError(
                    .invalidReference, "image name \(ImageError.quoted(name)): a name to give cannot have a digest")
            }
            reference = parsed
        }
        let given = reference
        return try await turns.run { () async throws(ImageError) in
            try await self.importInTurn(path: path, name: given, isPinned: isPinned, progress: progress)
        }
    }

    private func importInTurn(
        path: String, name: ImageReference?, isPinned: Bool, progress: @escaping @Sendable (ImportProgress) -> Void
    ) async throws(ImageError) -> [StoredImage] {
        try requireStarted()
        let cancellation = ImportCancellation()
        let importer = ArchiveImporter(
            layers: layerStore, content: content, limits: limits, jail: jail, path: path, name: name,
            known: layerRecords.filter { !$0.value.isBroken },
            cancellation: cancellation, progress: progress)
        let result: Result<ArchiveImporter.Outcome, ImageError> = await withTaskCancellationHandler {
            do throws(ImageError) {
                return .success(try await KernelThreadPool.shared.run { () throws(ImageError) in try importer.run() })
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancellation.cancel()
        }
        let outcome = try result.get()
        var changed = records
        for var record in outcome.records {
            record.isPinned = isPinned
            Self.adopt(record, in: &changed)
        }
        let (index, store, next) = (index, layerStore, Array(changed.values))
        try await KernelThreadPool.shared.run { () throws(ImageError) in
            do throws(ImageError) {
                try index.store(next)
            } catch {
                for layer in outcome.newLayers { try? store.remove(layer.chainID) }
                throw error
            }
        }
        records = changed
        documents.merge(outcome.documents) { _, new in new }
        for layer in outcome.newLayers { layerRecords[layer.chainID] = layer }
        addition.yield()
        return outcome.records.compactMap { image($0.id) }
    }

    /// Adds an imported image: it keeps the names it had, and takes its new ones from whoever had them.
    static func adopt(_ record: ImageRecord, in records: inout [ContentDigest: ImageRecord]) {
        for (id, other) in records where id != record.id && !Set(other.names).isDisjoint(with: record.names) {
            records[id]?.names.removeAll { record.names.contains($0) }
            // Nobody can ask for it by a name any more: it stays as long as it is used.
            if records[id]?.names.isEmpty == true { records[id]?.isPinned = false }
        }
        let earlier = records[record.id]
        var access = record.access
        // What was once given to everybody, or is now, is for everybody; else whoever could pull it may go on.
        if let earlier {
            if earlier.access == nil { access = nil }
            if let before = earlier.access { access?.merge(before) }
        }
        records[record.id] = ImageRecord(
            id: record.id, names: Set(record.names + (earlier?.names ?? [])).sorted(),
            manifest: record.manifest ?? earlier?.manifest, sizeBytes: record.sizeBytes, layers: record.layers,
            pulledDigests: Set(record.pulledDigests + (earlier?.pulledDigests ?? [])).sorted(), access: access,
            signers: record.signers.merging(earlier?.signers ?? [:]) { $0.union($1) },
            isPinned: record.isPinned || earlier?.isPinned == true)
    }

    // MARK: Remove

    /// Removes an image, or, when it has several names and `reference` is one of them, that name alone. Layers no
    /// other image
    /// stands on go with it.
    ///
    /// - Parameter inUse: IDs of the images that containers need.
    /// - Returns: the image as it was.
    /// - Throws: ``ImageError/Code/notFound``; ``ImageError/Code/inUse``; ``ImageError/Code/storage``.
    @discardableResult
    public func remove(reference: String, inUse: Set<String>) async throws(ImageError) -> StoredImage {
        try await turns.run { () async throws(ImageError) in
            try await self.removeInTurn(reference: reference, inUse: inUse)
        }
    }

    private func removeInTurn(reference: String, inUse: Set<String>) async throws(ImageError) -> StoredImage {
        try requireStarted()
        guard let id = identify(reference, hidden: true), let removed = image(id) else {
            throw Self.notFound(reference)
        }
        var changed = records
        let name = (try? ImageReference(parsing: reference))?.description
        if let name, removed.names.count > 1, removed.names.contains(name) {
            changed[id]?.names.removeAll { $0 == name }
        } else {
            guard !inUse.contains(removed.id) else {
                throw ImageError(
                    .inUse, "image \(ImageError.quoted(reference)): a container uses it; delete its pod first")
            }
            changed[id] = nil
        }
        try await commitRemoval(changed, of: id)
        return removed
    }

    /// Makes `changed` the images there are: without one of them, or one of its names. What only that one needed goes.
    func commitRemoval(_ changed: [ContentDigest: ImageRecord], of id: ContentDigest) async throws(ImageError) {
        let before = records[id]
        let (index, store, content, next) = (index, layerStore, content, Array(changed.values))
        try await KernelThreadPool.shared.run { () throws(ImageError) in try index.store(next) }
        records = changed
        if changed[id] == nil { documents[id] = nil }
        // Only now, and at once: a pull may have come to stand on some of them meanwhile.
        let needed = Set(changed.values.flatMap(\.layers))
        let needless = (before?.layers ?? []).filter { !needed.contains($0) && heldLayers[$0] == nil }
        let neededBlobs = Set(changed.keys).union(changed.values.compactMap(\.manifest))
        let blobs = [id, before?.manifest].compactMap { $0 }.filter { !neededBlobs.contains($0) }
        for layer in needless { layerRecords[layer] = nil }
        try await KernelThreadPool.shared.run { () throws(ImageError) in
            for layer in needless.reversed() { try store.remove(layer) }
            for blob in blobs { try content.remove(blob) }
        }
    }

    func requireStarted() throws(ImageError) {
        guard started else { throw ImageError(.storage, "the image store at \(root) is not started") }
    }
}
