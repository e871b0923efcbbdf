/// Where the bytes of an answer to a `Range` request begin.
enum ContentRange {
    /// - Parameters:
    ///   - status: 200 or 206.
    ///   - header: `Content-Range`.
    /// - Returns: how many bytes of the body are to be passed over to be at `offset`; `nil` when the answer begins behind
    ///   it or does not say where.
    static func bytesToSkip(status: Int, header: String?, offset: Int64) -> Int64? {
        // A server without ranges begins anew.
        guard status == 206 else { return offset }
        guard let header, header.hasPrefix("bytes ") else { return nil }
        let digits = header.dropFirst(6).prefix { $0 != "-" }
        guard let start = Int64(digits), start >= 0, start <= offset else { return nil }
        return offset - start
    }
}
