import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// A process of the monitor program that makes namespaces and waits while the agent pins them.
///
/// A user namespace needs one: the kernel refuses it to a process with several threads, which the agent is. The process ends,
/// and is reaped, with the value.
struct NamespaceProcess: ~Copyable {
    private static let timeoutMilliseconds: Int32 = 10_000

    private let pid: pid_t
    private let socket: OwnedDescriptor
    private let plan: LaunchPlan

    private init(pid: pid_t, socket: consuming OwnedDescriptor, plan: LaunchPlan) {
        self.pid = pid
        self.socket = socket
        self.plan = plan
    }

    /// - Parameter steps: each ``LaunchStep/awaitRelease`` is one stop.
    static func start(
        _ program: String, steps: [LaunchStep], directory: String
    ) throws(KernelError) -> NamespaceProcess {
        let plan = LaunchPlan(steps: steps)
        var pair: [Int32] = [-1, -1]
        try kernelCall("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
        }
        let socket = OwnedDescriptor(owning: pair[0])
        let theirs = OwnedDescriptor(owning: pair[1])
        let memory = try OwnedDescriptor.sealedMemory(name: "namespace-plan", plan.encoded())
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        let pid = try MonitorProcess.spawn(
            program, mode: "namespaces", directory: directory, sources: [null.raw, memory.raw, theirs.raw])
        return NamespaceProcess(pid: pid, socket: socket, plan: plan)
    }

    deinit {
        // Our child, not reaped yet: nobody else has the number.
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, Errno.current == .interrupted {}
    }

    /// Waits until the process has come to its next stop.
    func awaitStop() throws(KernelError) {
        var entry = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
        let ready = try kernelCall("poll") { poll(&entry, 1, Self.timeoutMilliseconds) }
        guard ready > 0 else { throw KernelError("make namespaces", errno: .timedOut) }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = try kernelCall("recv") { recv(socket.raw, &bytes, bytes.count, 0) }
        if count == 1 { return }
        var reader = WireReader(Array(bytes.prefix(count)))
        guard let step = try? reader.readUInt32(), let errno = try? reader.readInt32() else {
            throw KernelError("make namespaces", errno: .noChildProcess)
        }
        let what = LaunchFailure(step: step, errno: errno).subject(in: plan)
        throw KernelError(what, errno: Errno(rawValue: errno))
    }

    /// Lets it go on to its next stop.
    func resume() throws(KernelError) {
        var byte = UInt8(1)
        try kernelCall("send") { send(socket.raw, &byte, 1, Int32(MSG_NOSIGNAL)) }
    }

    /// Gives the process's new user namespace its ids.
    func map(_ ids: IDRange) throws(KernelError) {
        try FileSystem.writeKernelFile("/proc/\(pid)/uid_map", ids.mapLine)
        try FileSystem.writeKernelFile("/proc/\(pid)/gid_map", ids.mapLine)
    }

    /// Where the process shows a namespace of its own.
    func path(of namespace: String) -> String { "/proc/\(pid)/ns/\(namespace)" }
}
