import CLinux
import MonitorCoreEmbedded

/// A file descriptor with one owner, closed at the end of its scope.
struct Descriptor: ~Copyable {
    private(set) var raw: Int32

    init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        if raw >= 0 { close(raw) }
    }

    consuming func release() -> Int32 {
        let value = raw
        raw = -1
        return value
    }
}

/// A kernel error number.
struct SystemError: Error {
    let errno: Int32

    init(_ errno: Int32) {
        self.errno = errno
    }

    static var last: SystemError { SystemError(CLinux_errno()) }
}

/// Throws the error number of a call that answered -1; retries one that a signal interrupted.
@discardableResult
func call<Value: FixedWidthInteger>(_ body: () -> Value) throws(SystemError) -> Value {
    while true {
        let value = body()
        if value >= 0 { return value }
        let error = SystemError.last
        if error.errno != EINTR { throw error }
    }
}

extension CString {
    /// Lends the bytes as a C string.
    func withPointer<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                // Never empty: a CString ends in NUL.
                body(characters.baseAddress.unsafelyUnwrapped)
            }
        }
    }
}

/// Reads a descriptor to its end, at most `limit` bytes.
func readAll(_ descriptor: Int32, limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 8192)
    while true {
        let count = try call { chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) } }
        if count == 0 { return bytes }
        if bytes.count + count > limit { throw SystemError(EFBIG) }
        bytes.append(contentsOf: chunk[0..<count])
    }
}

/// Writes all bytes, continuing after short writes.
func writeAll(_ descriptor: Int32, _ bytes: some Collection<UInt8>) throws(SystemError) {
    let contiguous = [UInt8](bytes)
    var offset = 0
    while offset < contiguous.count {
        offset += try call {
            contiguous.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset) }
        }
    }
}

/// Reads a small kernel file.
func readFile(_ path: CString, limit: Int = 65536) throws(SystemError) -> [UInt8] {
    let file = Descriptor(owning: try call { path.withPointer { CLinux_open($0, O_RDONLY | O_CLOEXEC, 0) } })
    return try readAll(file.raw, limit: limit)
}
