import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// A jailed process's side of its conversation with the agent. The socket stays the caller's, and open.
struct JailChannel {
    let socket: Int32

    func send(_ bytes: UnsafeRawBufferPointer) throws(KernelError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            rest = rest.dropFirst(
                try kernelCall("send") { Glibc.send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL)) })
        }
    }

    func send(_ bytes: [UInt8]) throws(KernelError) {
        // A typed throw does not pass through the closure.
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, KernelError> in
            do throws(KernelError) { return .success(try send(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }

    func send(_ message: ArchiveMessage) throws(KernelError) { try send(message.encoded) }

    /// Fills `bytes`.
    ///
    /// - Throws: ECONNRESET when the agent says less.
    func receive(_ bytes: UnsafeMutableRawBufferPointer) throws(KernelError) {
        var filled = 0
        while filled < bytes.count {
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
            let count = try kernelCall("recv") { recv(socket, part.baseAddress, part.count, 0) }
            guard count > 0 else { throw KernelError("recv", errno: .connectionReset) }
            filled += count
        }
    }

    func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(KernelError) -> Value {
        var value: Value = 0
        let result = withUnsafeMutableBytes(of: &value) { bytes -> Result<Void, KernelError> in
            do throws(KernelError) { return .success(try receive(bytes)) } catch { return .failure(error) }
        }
        try result.get()
        return Value(littleEndian: value)
    }
}
