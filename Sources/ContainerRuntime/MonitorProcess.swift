import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// Starts monitors.
enum MonitorProcess {
    /// Descriptors as the monitor expects them.
    private enum Slot {
        static let plan: Int32 = 3
        static let creator: Int32 = 4
        static let listener: Int32 = 5
        static let target: Int32 = 6
    }

    /// A monitor just started and the agent's end of its first connection.
    struct Spawned: ~Copyable {
        let pid: pid_t
        let socket: OwnedDescriptor
    }

    static let socketName = "monitor.sock"

    /// Spawns the monitor of a container; its launch begins at once and stops before the release.
    /// - Parameter directory: the container's run directory, the monitor's working directory.
    /// - Parameter targetPidFD: of a process in the PID namespace that the plan joins; else -1.
    static func spawn(
        _ program: String, plan: LaunchPlan, directory: String, targetPidFD: Int32
    ) throws(KernelError) -> Spawned {
        let listener = try listen(in: directory)
        var pair: [Int32] = [-1, -1]
        try kernelCall("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
        }
        let ours = OwnedDescriptor(owning: pair[0])
        let theirs = OwnedDescriptor(owning: pair[1])
        let memory = try OwnedDescriptor.sealedMemory(name: "launch-plan", plan.encoded())
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        var sources = [null.raw, memory.raw, theirs.raw, listener.raw]
        if targetPidFD >= 0 { sources.append(targetPidFD) }
        let pid = try spawn(program, directory: directory, sources: sources)
        return Spawned(pid: pid, socket: ours)
    }

    /// Binds through the directory's descriptor: a socket address holds 107 bytes, fewer than a path may have.
    private static func listen(in directory: String) throws(KernelError) -> OwnedDescriptor {
        let socket = try makeSocket()
        let parent = try OwnedDescriptor.open(directory, O_PATH | O_DIRECTORY)
        var address = try self.address(of: parent)
        try withSocketAddress(&address) { (pointer, length) throws(KernelError) in
            try kernelCall("bind", directory + "/" + socketName) { bind(socket.raw, pointer, length) }
        }
        try kernelCall("listen") { Glibc.listen(socket.raw, 8) }
        return socket
    }

    /// Connects to a running monitor; ECONNREFUSED means that it is dead, ENOENT that it never was.
    static func connect(to directory: String) throws(KernelError) -> OwnedDescriptor {
        let socket = try makeSocket()
        let parent = try OwnedDescriptor.open(directory, O_PATH | O_DIRECTORY)
        var address = try self.address(of: parent)
        try withSocketAddress(&address) { (pointer, length) throws(KernelError) in
            try kernelCall("connect", directory + "/" + socketName) { Glibc.connect(socket.raw, pointer, length) }
        }
        return socket
    }

    private static func makeSocket() throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(
            owning: try kernelCall("socket") {
                socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private static func address(of directory: borrowing OwnedDescriptor) throws(KernelError) -> sockaddr_un {
        let path = "/proc/self/fd/\(directory.raw)/\(socketName)"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return address
    }

    private static func withSocketAddress(
        _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(KernelError) -> Void
    ) throws(KernelError) {
        let result: Result<Void, KernelError> = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                do throws(KernelError) {
                    try body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
                    return .success(())
                } catch { return .failure(error) }
            }
        }
        try result.get()
    }

    /// posix_spawn(3): a vfork-style clone, so that the agent's memory is never copied.
    /// - Parameter sources: become descriptor 0 (and 1, 2), 3, 4, … 6 at most.
    private static func spawn(
        _ program: String, directory: String, sources: [Int32]
    ) throws(KernelError) -> pid_t {
        let view = try MonitorProgram.at(program)
        // dup2 targets 0…7 must not clobber a source that happens to have such a number.
        var lifted: [OwnedDescriptorBox] = []
        for source in sources + [view.raw] {
            lifted.append(
                OwnedDescriptorBox(
                    OwnedDescriptor(owning: try kernelCall("dup") { CLinux_fcntl_int(source, F_DUPFD_CLOEXEC, 16) })))
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for standard: Int32 in 0...2 { posix_spawn_file_actions_adddup2(&actions, lifted[0].raw, standard) }
        let slots = [Slot.plan, Slot.creator, Slot.listener, Slot.target]
        for (source, slot) in zip(lifted.dropFirst().dropLast(), slots) {
            posix_spawn_file_actions_adddup2(&actions, source.raw, slot)
        }
        // Whatever the agent has there that outlives an execve is nobody else's.
        for slot in slots.dropFirst(sources.count - 1) { posix_spawn_file_actions_addclose(&actions, slot) }
        if let tree = lifted.last { posix_spawn_file_actions_adddup2(&actions, tree.raw, MonitorProgram.slot) }
        posix_spawn_file_actions_addclosefrom_np(&actions, MonitorProgram.slot + 1)
        posix_spawn_file_actions_addchdir_np(&actions, directory)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80 /* POSIX_SPAWN_SETSID */
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var pid: pid_t = 0
        let code = view.childPath.withCString { path in
            "swiftlet-monitor".withCString { name in
                "monitor".withCString { mode in
                    var arguments: [UnsafeMutablePointer<CChar>?] = [
                        UnsafeMutablePointer(mutating: name), UnsafeMutablePointer(mutating: mode), nil,
                    ]
                    // An empty environment: nothing of the agent's reaches a container.
                    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
                    return posix_spawn(&pid, path, &actions, &attributes, &arguments, &environment)
                }
            }
        }
        withExtendedLifetime(lifted) {}
        guard code == 0 else { throw KernelError("spawn", program, errno: Errno(rawValue: code)) }
        return pid
    }
}

/// A descriptor in an array, which cannot hold noncopyable values.
private final class OwnedDescriptorBox {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    var raw: Int32 { descriptor.raw }
}
