import Glibc
import LinuxKernel
import Testing

/// A pipe on which another process says that it got somewhere.
struct Pipe: ~Copyable {
    let readEnd: OwnedDescriptor
    let writeEnd: OwnedDescriptor

    init() throws {
        var descriptors: [Int32] = [-1, -1]
        try kernelCall("pipe") { pipe(&descriptors) }
        readEnd = OwnedDescriptor(owning: descriptors[0])
        writeEnd = OwnedDescriptor(owning: descriptors[1])
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    /// Blocks for at most 30 s.
    func waitForByte() throws {
        var entry = pollfd(fd: readEnd.raw, events: Int16(POLLIN), revents: 0)
        let ready = try kernelCall("poll") { poll(&entry, 1, 30_000) }
        #expect(ready == 1, "the process never got ready")
        var byte: UInt8 = 0
        if entry.revents != 0 { try kernelCall("read") { read(readEnd.raw, &byte, 1) } }
    }

    func writeByte() throws { try writeEnd.writeAll([1]) }
}
