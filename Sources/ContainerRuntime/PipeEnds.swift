import CLinux
import Glibc
import LinuxKernel

/// Two connected descriptors: what is still here at the end is closed.
struct PipeEnds: ~Copyable {
    private(set) var reading: Int32
    private(set) var writing: Int32

    private init(_ ends: [Int32]) {
        reading = ends[0]
        writing = ends[1]
    }

    static func pipe() throws(KernelError) -> PipeEnds {
        var ends: [Int32] = [-1, -1]
        try kernelCall("pipe2") { CLinux_pipe(&ends) }
        return PipeEnds(ends)
    }

    /// Unix sockets: either end can be read and written.
    static func socketPair(_ type: __socket_type) throws(KernelError) -> PipeEnds {
        var ends: [Int32] = [-1, -1]
        try kernelCall("socketpair") {
            socketpair(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        }
        return PipeEnds(ends)
    }

    deinit {
        if reading >= 0 { close(reading) }
        if writing >= 0 { close(writing) }
    }

    mutating func takeReading() -> Int32 {
        defer { reading = -1 }
        return reading
    }

    mutating func takeWriting() -> Int32 {
        defer { writing = -1 }
        return writing
    }

    mutating func closeWriting() {
        let end = takeWriting()
        if end >= 0 { close(end) }
    }
}
