import LinuxKernel

/// Reads an image store after a start, whatever state it is in.
struct StoreRecovery: Sendable {
    let root: String
    let content: ContentStore
    let layers: LayerStore
    let index: ImageIndex
    let limits: UnpackLimits

    struct Outcome: Sendable {
        var records: [ContentDigest: ImageRecord] = [:]
        var documents: [ContentDigest: ImageDocument] = [:]
        var layers: [ContentDigest: LayerRecord] = [:]
        var report = ImageRecovery()
    }

    func run() throws(ImageError) -> Outcome {
        try storing("image store") { () throws(KernelError) in try FileSystem.makeDirectories(root) }
        var outcome = Outcome()
        outcome.report.leftoversRemoved += try content.prepare()
        let found = try layers.prepare()
        outcome.report.leftoversRemoved += found.removed
        outcome.layers = found.layers
        try index.prepare()
        let loaded = try index.load()
        outcome.report.quarantinedIndex = loaded.quarantined
        for record in loaded.records { try adopt(record, &outcome) }
        let whole = loaded.sound && outcome.report.lostImages.isEmpty
        if !whole || !FileSystem.exists(root + "/index.json") { try index.store(Array(outcome.records.values)) }
        // After damage a layer may serve a running container although no image names it any more: then nothing is
        // removed.
        if whole { try removeUnreferenced(&outcome) }
        return outcome
    }

    /// Takes an image in when its configuration and all its layers are there.
    private func adopt(_ record: ImageRecord, _ outcome: inout Outcome) throws(ImageError) {
        do throws(ImageError) {
            let document = try ImageDocument(
                parsing: try content.read(record.id), limits: limits, subject: "image \(record.id)")
            guard record.layers == ContentDigest.chain(of: document.diffIDs) else {
                outcome.report.lostImages.append("image \(record.id): its layers are not those of its configuration")
                return
            }
            if let missing = record.layers.first(where: { outcome.layers[$0] == nil }) {
                outcome.report.lostImages.append("image \(record.id): layer \(missing) is missing")
                return
            }
            outcome.documents[record.id] = document
            outcome.records[record.id] = record
        } catch {
            // An unreadable disk is no reason to forget images.
            guard error.code != .storage else { throw error }
            outcome.report.lostImages.append(error.message)
        }
    }

    private func removeUnreferenced(_ outcome: inout Outcome) throws(ImageError) {
        let needed = Set(outcome.records.values.flatMap(\.layers))
        for chainID in Array(outcome.layers.keys) where !needed.contains(chainID) {
            try layers.remove(chainID)
            outcome.layers[chainID] = nil
            outcome.report.unreferencedRemoved += 1
        }
        outcome.report.unreferencedRemoved += try index.removeRecords(except: outcome.records.keys)
        let blobs = Set(outcome.records.keys).union(outcome.records.values.compactMap(\.manifest))
        for digest in try content.list() where !blobs.contains(digest) {
            try content.remove(digest)
            outcome.report.unreferencedRemoved += 1
        }
    }
}
