import Crypto

/// Passes bytes through while counting them, and hashing them where somebody wants to know; stops at a limit.
final class HashingByteSource: ByteSource {
    private let source: any ByteSource
    private let limitBytes: Int64
    private let limitReached: ImageError
    private var hash: SHA256?
    private(set) var countBytes: Int64 = 0

    /// `limitReached` is thrown when more than `limitBytes` arrive. Not to hash saves a third of a second per gigabyte.
    init(_ source: any ByteSource, isHashed: Bool = true, limitBytes: Int64, limitReached: ImageError) {
        hash = isHashed ? SHA256() : nil
        self.source = source
        self.limitBytes = limitBytes
        self.limitReached = limitReached
    }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        let chunk = try source.next()
        let (total, overflow) = countBytes.addingReportingOverflow(Int64(chunk.count))
        guard !overflow, total <= limitBytes else { throw limitReached }
        countBytes = total
        hash?.update(bufferPointer: chunk)
        return chunk
    }

    /// The digest of what has passed so far; nil when it is not hashed.
    var digest: ContentDigest? { hash.map { ContentDigest($0.finalize()) } }
}
