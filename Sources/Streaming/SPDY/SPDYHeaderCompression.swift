import CZlib

/// Decompresses the header blocks of one side of a connection, which share one zlib stream.
final class SPDYHeaderInflater {
    /// Bytes of one block, decompressed. The largest block of a Kubernetes client has a few hundred.
    static let blockLimit = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(StreamingError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw StreamingError("no memory to decompress headers")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func inflateBlock(_ input: [UInt8]) throws(StreamingError) -> [UInt8] {
        var input = input
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var offset = 0
        while true {
            let before = offset
            let (result, produced) = step(&input, &offset, &chunk)
            output.append(contentsOf: chunk[..<produced])
            guard output.count <= Self.blockLimit else {
                throw StreamingError("a header block is larger than \(Self.blockLimit) bytes")
            }
            switch result {
            case Z_NEED_DICT:
                guard inflateSetDictionary(stream, SPDYDictionary.bytes, UInt32(SPDYDictionary.bytes.count)) == Z_OK
                else { throw StreamingError("a header block uses another dictionary than SPDY/3.1's") }
            case Z_OK, Z_BUF_ERROR:
                // A full chunk may have left something behind; without progress there is no more.
                if offset == input.count, produced < chunk.count { return output }
                if offset == before, produced == 0 { throw StreamingError("a header block ends too early") }
            default: throw StreamingError("a header block is not valid zlib data")
            }
        }
    }

    private func step(_ input: inout [UInt8], _ offset: inout Int, _ chunk: inout [UInt8]) -> (Int32, Int) {
        let available = input.count - offset
        let size = chunk.count
        let start = offset
        let result = input.withUnsafeMutableBufferPointer { source in
            chunk.withUnsafeMutableBufferPointer { target in
                stream.pointee.next_in = source.baseAddress?.advanced(by: start)
                stream.pointee.avail_in = UInt32(available)
                stream.pointee.next_out = target.baseAddress
                stream.pointee.avail_out = UInt32(size)
                return inflate(stream, Z_SYNC_FLUSH)
            }
        }
        offset += available - Int(stream.pointee.avail_in)
        return (result, size - Int(stream.pointee.avail_out))
    }
}

/// Compresses the header blocks that one side of a connection sends.
final class SPDYHeaderDeflater {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(StreamingError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // A small window (2 KiB) holds the dictionary: 16 KiB of memory a connection.
        let made = deflateInit2_(
            stream, 6, Z_DEFLATED, 11, 5, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard made == Z_OK,
            deflateSetDictionary(stream, SPDYDictionary.bytes, UInt32(SPDYDictionary.bytes.count)) == Z_OK
        else {
            stream.deallocate()
            throw StreamingError("no memory to compress headers")
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func deflateBlock(_ input: [UInt8]) -> [UInt8] {
        var input = input
        // Beyond the bound by what a flush adds.
        var output = [UInt8](repeating: 0, count: Int(deflateBound(stream, UInt(input.count))) + 64)
        let size = output.count
        let left = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.pointee.next_in = source.baseAddress
                stream.pointee.avail_in = UInt32(source.count)
                stream.pointee.next_out = target.baseAddress
                stream.pointee.avail_out = UInt32(size)
                _ = deflate(stream, Z_SYNC_FLUSH)
                return Int(stream.pointee.avail_out)
            }
        }
        return Array(output[..<(size - left)])
    }
}
