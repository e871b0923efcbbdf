import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// A process that makes a user namespace, and others owned by it, and waits while the agent pins them.
///
/// A user namespace needs a process: the kernel refuses it to one with several threads, which the agent is. This one runs no
/// program: a few system calls in the agent's memory, of which nothing is copied. It is killed, and reaped, with the value.
struct NamespaceProcess: ~Copyable {
    private static let timeoutMilliseconds: Int32 = 10_000
    /// sethostname(2) takes no longer one.
    private static let maximumHostnameLength = 64

    private let pid: pid_t
    private let socket: OwnedDescriptor
    private let memory: Memory

    /// What the process uses of the agent's memory, as long as it lives.
    private final class Memory {
        let request = UnsafeMutablePointer<CLinux_namespace_request>.allocate(capacity: 1)
        let hostname: UnsafeMutablePointer<CChar>?
        let stack: UnsafeMutableRawPointer
        let socket: OwnedDescriptor

        init(socket: consuming OwnedDescriptor, flags: Int32, hostname: String?) {
            self.socket = socket
            stack = .allocate(byteCount: Int(CLINUX_NAMESPACE_STACK), alignment: 16)
            self.hostname = hostname.flatMap { strdup($0) }
            request.initialize(
                to: CLinux_namespace_request(
                    parent: getpid(), socket: self.socket.raw, flags: flags, hostname: self.hostname,
                    hostname_length: hostname?.utf8.count ?? 0))
        }

        deinit {
            request.deallocate()
            free(hostname)
            stack.deallocate()
        }
    }

    private init(pid: pid_t, socket: consuming OwnedDescriptor, memory: Memory) {
        self.pid = pid
        self.socket = socket
        self.memory = memory
    }

    /// The process has a user namespace without ids.
    /// - Parameters:
    ///   - flags: the namespaces to make in it besides, as of unshare(2).
    ///   - hostname: of its UTS namespace, which is among those.
    static func start(flags: Int32 = 0, hostname: String? = nil) throws(KernelError) -> NamespaceProcess {
        if let hostname, hostname.utf8.count > maximumHostnameLength || hostname.utf8.contains(0) {
            throw KernelError("sethostname", hostname, errno: .invalidArgument)
        }
        var pair: [Int32] = [-1, -1]
        try kernelCall("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
        }
        let socket = OwnedDescriptor(owning: pair[0])
        let memory = Memory(socket: OwnedDescriptor(owning: pair[1]), flags: flags, hostname: hostname)
        let pid = try kernelCall("clone user namespace") { CLinux_namespace_process(memory.request, memory.stack) }
        return NamespaceProcess(pid: pid, socket: socket, memory: memory)
    }

    deinit {
        // Our child, not reaped yet: nobody else has the number. Its memory goes after it.
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, Errno.current == .interrupted {}
    }

    /// Gives the user namespace its ids, and has the others made.
    func make(_ ids: IDRange) throws(KernelError) {
        try FileSystem.writeKernelFile("/proc/\(pid)/uid_map", ids.mapLine)
        try FileSystem.writeKernelFile("/proc/\(pid)/gid_map", ids.mapLine)
        var byte = UInt8(1)
        try kernelCall("send") { send(socket.raw, &byte, 1, Int32(MSG_NOSIGNAL)) }
        var entry = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
        let ready = try kernelCall("poll") { poll(&entry, 1, Self.timeoutMilliseconds) }
        guard ready > 0 else { throw KernelError("make namespaces", errno: .timedOut) }
        var result: Int32 = 0
        let count = try kernelCall("recv") { recv(socket.raw, &result, MemoryLayout<Int32>.size, 0) }
        guard count == MemoryLayout<Int32>.size else { throw KernelError("make namespaces", errno: .noChildProcess) }
        guard result == 0 else { throw KernelError("make namespaces", errno: Errno(rawValue: result)) }
    }

    /// Where the process shows a namespace of its own.
    func path(of namespace: String) -> String { "/proc/\(pid)/ns/\(namespace)" }
}
