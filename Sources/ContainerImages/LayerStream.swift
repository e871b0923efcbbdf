/// A layer as it comes along, compressed or not: bytes → (hash, size) → decompression → hash → tar → files. Both digests
/// are over every byte, padding included.
struct LayerStream {
    /// Digest and size of the blob as stored, where they are promised.
    let blobDigest: ContentDigest?
    let blobSizeBytes: Int64?
    let diffID: ContentDigest
    let hasParent: Bool
    let limits: UnpackLimits
    /// Begins every message.
    let subject: String

    /// Unpacks into an empty directory, in a process of its own where there is a jail; nothing is to be used of it when this throws.
    func unpack(
        _ source: any ByteSource, into directory: String, jail: UnpackJail?
    ) throws(ImageError) -> UnpackedLayer {
        guard let jail else { return try unpack(source, into: directory) }
        return try unpack(source, into: directory, in: jail)
    }

    /// Unpacks in this process.
    func unpack(_ source: any ByteSource, into directory: String) throws(ImageError) -> UnpackedLayer {
        let blob = hashing(source)
        let stream = HashingByteSource(
            ProcessorTimeLimit(
                try DecompressingByteSource(blob, subject: subject), seconds: limits.processorSeconds, subject: subject),
            limitBytes: limits.layerBytes,
            limitReached: ImageError(.limitExceeded, "\(subject): unpacks to more than \(limits.layerBytes) bytes"))
        let unpacker = try LayerUnpacker(directory: directory, hasParent: hasParent, limits: limits, subject: subject)
        let layer: UnpackedLayer
        do throws(ImageError) {
            layer = try unpacker.unpack(try ArchiveReader(stream, layout: .tar, subject: subject))
            try stream.drain()
        } catch {
            // A flipped bit may show first as a damaged header: its cause is what to report.
            if error.code == .invalidArchive, (try? stream.drain()) != nil, (try? blob.drain()) != nil {
                try verify(blob: blob.digest)
                try verify(stream: stream.digest)
            }
            throw error
        }
        try blob.drain()
        try verify(blob: blob.digest)
        try verify(stream: stream.digest)
        return layer
    }

    /// The blob's bytes, no more of them than its descriptor says; hashed where there is a digest to compare with, which is not in the
    /// process that unpacks.
    func hashing(_ source: any ByteSource) -> HashingByteSource {
        HashingByteSource(
            source, isHashed: blobDigest != nil, limitBytes: blobSizeBytes ?? .max,
            limitReached: ImageError(.digestMismatch, "\(subject): is longer than its descriptor says"))
    }

    func verify(blob: ContentDigest?) throws(ImageError) {
        if let blobDigest, blobDigest != blob {
            throw ImageError(
                .digestMismatch,
                "\(subject): its blob has the digest \(blob.map { "\($0)" } ?? "unknown"), the manifest says \(blobDigest)"
            )
        }
    }

    private func verify(stream: ContentDigest?) throws(ImageError) {
        guard let stream, stream == diffID else {
            throw ImageError(
                .digestMismatch,
                "\(subject): its content has the digest \(stream.map { "\($0)" } ?? "unknown"), the image configuration says \(diffID)"
            )
        }
    }
}
