import LinuxKernel

/// Imports one archive file: reads its documents, unpacks the layers this node lacks, commits layers and documents.
///
/// Blocking; runs on one thread of the kernel pool. What it makes is invisible until it is complete, and gone when it
/// fails.
struct ArchiveImporter: Sendable {
    let layers: LayerStore
    let content: ContentStore
    let limits: UnpackLimits
    let jail: UnpackJail?
    let path: String
    /// The name to give instead of the archive's own; only for an archive of one image.
    let name: ImageReference?
    let known: [ContentDigest: LayerRecord]
    let cancellation: ImportCancellation
    let progress: @Sendable (ImportProgress) -> Void

    struct Outcome: Sendable {
        let records: [ImageRecord]
        let documents: [ContentDigest: ImageDocument]
        let newLayers: [LayerRecord]
    }

    /// A layer to be unpacked, and how far that is.
    private struct Job {
        let chainID: ContentDigest
        let source: ArchivedImage.Layer
        /// Chain identifiers of the layers below, topmost first.
        let below: [ContentDigest]
        let number: Int
        var staged: (name: String, layer: UnpackedLayer)?
    }

    private var subject: String { "archive \(ImageError.quoted(path))" }

    func run() throws(ImageError) -> Outcome {
        jail?.retain()
        defer { jail?.release() }
        let archive = try openArchive()
        // The root of what parses the archive, which makes no file.
        let scratch = try layers.makeStaging()
        defer { try? layers.discard(scratch) }
        var images = try ArchivedImage.all(in: try contents(of: archive, scratch: scratch), limits: limits)
        if let name {
            guard images.count == 1 else {
                throw ImageError(
                    .invalidArchive, "\(subject): holds \(images.count) images, so one name cannot be given to all")
            }
            images[0].names = [name]
        }
        var jobs = plan(images)
        do throws(ImageError) {
            try unpack(&jobs, from: archive, scratch: scratch)
            let newLayers = try commit(jobs)
            do throws(ImageError) {
                return try outcome(images, newLayers: newLayers)
            } catch {
                for layer in newLayers { try? layers.remove(layer.chainID) }
                throw error
            }
        } catch {
            // A staging directory already renamed is simply not found; what cannot be removed now is removed at the
            // next start.
            for job in jobs { if let staged = job.staged { try? layers.discard(staged.name) } }
            throw error
        }
    }

    // MARK: Reading

    /// The archive's file, and who tells how much of it was read.
    private struct OpenArchive {
        let file: ArchiveFile
        let report: ProgressReport
    }

    private func openArchive() throws(ImageError) -> OpenArchive {
        let report = ProgressReport(progress)
        let subject = subject
        let cancellation = cancellation
        let file = try ArchiveFile(path: path, subject: subject) { (position: Int64) throws(ImageError) in
            try cancellation.check(subject)
            report.advance(to: position)
        }
        report.totalBytes = file.sizeBytes
        return OpenArchive(file: file, report: report)
    }

    /// Calls back at most once per 4 MiB.
    private final class ProgressReport {
        private let progress: @Sendable (ImportProgress) -> Void
        private var stage = ImportProgress.Stage.reading
        private var reported: Int64 = -1
        var totalBytes: Int64 = 0

        init(_ progress: @escaping @Sendable (ImportProgress) -> Void) { self.progress = progress }

        func begin(_ stage: ImportProgress.Stage) {
            self.stage = stage
            reported = -1
        }

        func advance(to position: Int64) {
            guard reported < 0 || position - reported >= 4 << 20 else { return }
            reported = position
            progress(ImportProgress(stage: stage, bytes: position, totalBytes: totalBytes))
        }
    }

    /// What the archive holds, parsed where its bytes can do no harm.
    private func contents(of archive: OpenArchive, scratch: String) throws(ImageError) -> ArchiveContents {
        guard let jail else {
            return try ArchiveContents(reading: try reader(archive), limits: limits, subject: subject)
        }
        let jailed = try JailedArchive(
            archive.file, .contents(sizeBytes: archive.file.sizeBytes), jail: jail,
            directory: layers.stagingDiffDirectory(scratch), limits: limits, subject: subject)
        defer { try? jailed.end() }
        switch try jailed.next() {
        case .reply(.contents(let contents)): return contents
        case .reply(.failure(let error)): throw error
        case .reply, .entry, .data: throw jailed.wrongAnswer("it is one to something else")
        }
    }

    private func reader(_ archive: OpenArchive) throws(ImageError) -> ArchiveReader {
        try ArchiveReader(FileByteSource(archive.file), layout: .compressedTar, subject: subject)
    }

    // MARK: Unpacking

    /// The layers this node lacks, each once however many images stand on it.
    private func plan(_ images: [ArchivedImage]) -> [Job] {
        var jobs: [Job] = []
        var planned = Set(known.keys)
        for image in images {
            let chain = image.chainIDs
            for (index, chainID) in chain.enumerated() where planned.insert(chainID).inserted {
                jobs.append(
                    Job(
                        chainID: chainID, source: image.layers[index], below: chain[..<index].reversed(),
                        number: index + 1))
            }
        }
        return jobs
    }

    /// Layers that are in the file as they are come from there; of an archive that is compressed itself, or leaves holes out, the rest
    /// is streamed.
    private func unpack(_ jobs: inout [Job], from archive: OpenArchive, scratch: String) throws(ImageError) {
        var totalBytes: Int64 = 0
        for index in jobs.indices {
            let entry = jobs[index].source.entry
            guard let offset = entry.offsetBytes else { continue }
            archive.report.begin(.unpacking(done: jobs.count { $0.staged != nil }, total: jobs.count))
            let source = FileByteSource(archive.file, from: offset, count: entry.sizeBytes)
            try stage(&jobs[index], from: source, totalBytes: &totalBytes)
        }
        // One pass does it, but for layers that occur twice in one image: a stream can be read once.
        while jobs.contains(where: { $0.staged == nil }) {
            let before = jobs.count { $0.staged != nil }
            archive.report.begin(.unpacking(done: before, total: jobs.count))
            try stream(&jobs, from: archive, scratch: scratch, totalBytes: &totalBytes)
            guard jobs.count(where: { $0.staged != nil }) > before else {
                throw ImageError(
                    .invalidArchive,
                    "\(subject): a layer is missing: the file is truncated or changed while it was read")
            }
        }
    }

    private func stream(
        _ jobs: inout [Job], from archive: OpenArchive, scratch: String, totalBytes: inout Int64
    ) throws(ImageError) {
        let wanted = Set(jobs.filter { $0.staged == nil }.map(\.source.entry.number))
        guard let jail else {
            let entries = ParsedEntries(try reader(archive), wanted: wanted)
            return try stage(&jobs, from: entries, totalBytes: &totalBytes)
        }
        let jailed = try JailedArchive(
            archive.file, .entries(sizeBytes: archive.file.sizeBytes), jail: jail,
            directory: layers.stagingDiffDirectory(scratch), limits: limits, subject: subject)
        defer { try? jailed.end() }
        try stage(&jobs, from: try JailedEntries(jailed, wanted: wanted), totalBytes: &totalBytes)
    }

    private func stage(
        _ jobs: inout [Job], from entries: any EntryStream, totalBytes: inout Int64
    ) throws(ImageError) {
        while let number = try entries.nextEntry() {
            guard let index = jobs.firstIndex(where: { $0.staged == nil && $0.source.entry.number == number })
            else { continue }
            try stage(&jobs[index], from: entries, totalBytes: &totalBytes)
        }
    }

    private func stage(
        _ job: inout Job, from source: any ByteSource, totalBytes: inout Int64
    ) throws(ImageError) {
        let staging = try layers.makeStaging()
        job.staged = (staging, UnpackedLayer())
        let layer = try LayerStream(
            blobDigest: job.source.blobDigest, blobSizeBytes: job.source.blobSizeBytes, diffID: job.source.diffID,
            hasParent: !job.below.isEmpty, limits: limits, subject: "\(subject), layer \(job.number)"
        ).unpack(source, into: layers.stagingDiffDirectory(staging), jail: jail)
        job.staged = (staging, layer)
        totalBytes += layer.bytes
        guard totalBytes <= limits.importBytes else {
            throw ImageError(.limitExceeded, "\(subject): its layers unpack to more than \(limits.importBytes) bytes")
        }
    }

    // MARK: Committing

    private func commit(_ jobs: [Job]) throws(ImageError) -> [LayerRecord] {
        var staged: [(name: String, record: LayerRecord)] = []
        var found: [ContentDigest: (directory: String, opaqueRoot: Bool)] = [:]
        for (chainID, record) in known { found[chainID] = (layers.diffDirectory(chainID), record.opaqueRoot) }
        // A job's lower layers come before it: the plan walks each image from the bottom.
        for job in jobs {
            guard let (name, layer) = job.staged else { continue }
            var lowers: [String] = []
            for lower in layer.opaqueRoot ? [] : job.below {
                guard let known = found[lower] else { break }
                lowers.append(known.directory)
                if known.opaqueRoot { break }
            }
            let directory = layers.stagingDiffDirectory(name)
            try layer.finish(directory: directory, lowers: lowers, subject: "\(subject), layer \(job.number)")
            found[job.chainID] = (directory, layer.opaqueRoot)
            staged.append(
                (
                    name,
                    LayerRecord(
                        chainID: job.chainID, diffID: job.source.diffID, bytes: layer.bytes,
                        inodes: Int64(layer.inodes),
                        opaqueRoot: layer.opaqueRoot)
                ))
        }
        progress(ImportProgress(stage: .storing, bytes: 0, totalBytes: 0))
        try cancellation.check(subject)
        do throws(ImageError) {
            try layers.commit(staged)
        } catch {
            for layer in staged { try? layers.remove(layer.record.chainID) }
            throw error
        }
        return staged.map(\.record)
    }

    private func outcome(_ images: [ArchivedImage], newLayers: [LayerRecord]) throws(ImageError) -> Outcome {
        var all = known
        for layer in newLayers { all[layer.chainID] = layer }
        var records: [ImageRecord] = []
        var documents: [ContentDigest: ImageDocument] = [:]
        for image in images {
            try content.write(image.configBytes, expecting: image.configDigest)
            let manifest = try image.manifestBytes.map { (bytes) throws(ImageError) in try content.write(bytes) }
            let size = image.chainIDs.reduce(Int64(image.configBytes.count)) { $0 + (all[$1]?.bytes ?? 0) }
            records.append(
                ImageRecord(
                    id: image.configDigest, names: image.names.map(\.description), manifest: manifest, sizeBytes: size,
                    layers: image.chainIDs))
            documents[image.configDigest] = image.document
        }
        return Outcome(records: records, documents: documents, newLayers: newLayers)
    }
}
