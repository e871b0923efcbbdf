import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// A process confined to one directory, as the agent holds it. Killed with the value.
struct JailedProcess: ~Copyable {
    private let socket: OwnedDescriptor
    private let process: PidFD
    /// Its parent, which it does not outlive.
    private let launcher: UnpackLauncher

    /// - Parameter stallSeconds: no call here waits longer for it.
    init(
        socket: consuming OwnedDescriptor, process: consuming PidFD, launcher: UnpackLauncher, stallSeconds: Int
    ) throws(KernelError) {
        self.socket = socket
        self.process = process
        self.launcher = launcher
        try SocketTimeout.set(self.socket.raw, .sending, seconds: stallSeconds)
        try SocketTimeout.set(self.socket.raw, .receiving, seconds: stallSeconds)
    }

    deinit { _ = try? process.send(SIGKILL) }

    /// Gives it bytes; `false` when it wants no more.
    ///
    /// - Throws: EAGAIN when it has stood still for too long.
    func send(_ bytes: UnsafeRawBufferPointer) throws(KernelError) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            do throws(KernelError) {
                let count = try kernelCall("send", "the unpacker") {
                    Glibc.send(socket.raw, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                }
                rest = rest.dropFirst(count)
            } catch {
                guard error.errno == .brokenPipe || error.errno == .connectionReset else { throw error }
                return false
            }
        }
        return true
    }

    func send(_ bytes: [UInt8]) throws(KernelError) -> Bool {
        // A typed throw does not pass through the closure.
        let result = bytes.withUnsafeBytes { bytes -> Result<Bool, KernelError> in
            do throws(KernelError) { return .success(try send(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Fills `bytes` with what it says; `false` when it ends before.
    ///
    /// - Throws: EAGAIN when nothing comes for too long.
    func receive(_ bytes: UnsafeMutableRawBufferPointer) throws(KernelError) -> Bool {
        var filled = 0
        while filled < bytes.count {
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
            do throws(KernelError) {
                let count = try kernelCall("recv", "the unpacker") { recv(socket.raw, part.baseAddress, part.count, 0) }
                guard count > 0 else { return false }
                filled += count
            } catch {
                guard error.errno == .connectionReset else { throw error }
                return false
            }
        }
        return true
    }

    /// There are no more bytes.
    func finishInput() { shutdown(socket.raw, Int32(SHUT_WR)) }

    /// What it says, up to its end.
    ///
    /// - Throws: EAGAIN when nothing comes for too long; EFBIG for more than `limit` bytes.
    func reply(limit: Int) throws(KernelError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count: Int
            do throws(KernelError) {
                count = try kernelCall("recv", "the unpacker") { recv(socket.raw, &chunk, chunk.count, 0) }
            } catch {
                // It ended with bytes left unread.
                guard error.errno == .connectionReset else { throw error }
                return bytes
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw KernelError("recv", "the unpacker", errno: .fileTooLarge) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Ends it; nothing touches its directory any more when this returns.
    func end() throws(KernelError) {
        try process.send(SIGKILL)
        guard try process.waitForEnd(timeout: .seconds(60)) else {
            throw KernelError("end the unpacker", errno: .timedOut)
        }
    }
}
