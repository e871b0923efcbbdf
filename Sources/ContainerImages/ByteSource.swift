/// Bytes pulled in chunks by one reader on one thread; sources wrap one another into a pipeline.
protocol ByteSource: AnyObject {
    /// The next chunk, valid until the next call; empty at the end.
    func next() throws(ImageError) -> UnsafeRawBufferPointer

    /// Moves forward by at most `count` bytes without reading them; gives how many were passed over, 0 when it cannot.
    func skip(_ count: Int64) -> Int64
}

extension ByteSource {
    func skip(_ count: Int64) -> Int64 { 0 }

    /// Reads to the end, so that hashes over the whole stream are complete.
    func drain() throws(ImageError) {
        while try !next().isEmpty {}
    }
}
