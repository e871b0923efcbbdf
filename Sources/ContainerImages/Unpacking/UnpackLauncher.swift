import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// A running ``UnpackLauncherProgram``, ended and reaped with the value.
final class UnpackLauncher: Sendable {
    private static let timeoutMilliseconds: Int32 = 30_000

    private let control: OwnedDescriptor
    private let process: PidFD

    /// Starts `program`, and returns once it has left the host behind.
    init(program: String, filter: [UInt8]) throws(KernelError) {
        let (ours, theirs) = try Self.pair(Int32(SOCK_SEQPACKET.rawValue))
        control = OwnedDescriptor(owning: ours)
        let other = OwnedDescriptor(owning: theirs)
        process = try PidFD.open(try Self.spawn(program, control: other.raw))
        // Its own end must be the only one.
        _ = consume other
        let socket = control.raw
        try kernelCall("send", "the unpacker") { Glibc.send(socket, filter, filter.count, Int32(MSG_NOSIGNAL)) }
        let answer = try Self.receive(socket, descriptors: 0).bytes
        try Self.check(answer)
    }

    deinit {
        _ = try? process.send(SIGKILL)
        _ = try? process.reap()
    }

    static func pair(_ type: Int32) throws(KernelError) -> (Int32, Int32) {
        var pair: [Int32] = [-1, -1]
        try kernelCall("socketpair") { socketpair(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) }
        return (pair[0], pair[1])
    }

    /// An answer: an errno, and where it is not 0 and it says so, of which call.
    private static func check(_ answer: [UInt8]) throws(KernelError) {
        var decoder = JailDecoder(answer)
        guard let code = try? decoder.integer(Int32.self) else {
            throw KernelError("start the unpacker", errno: .noChildProcess)
        }
        guard code != 0 else { return }
        throw KernelError((try? decoder.text(limit: 200)) ?? "clone", errno: Errno(rawValue: code))
    }

    // MARK: Children

    /// Starts a process that is confined to `tree`, a mount attached nowhere.
    func start(_ request: UnpackRequest, tree: borrowing OwnedDescriptor) throws(KernelError) -> JailedProcess {
        let (socket, theirSocket) = try Self.pair(Int32(SOCK_STREAM.rawValue))
        let ours = OwnedDescriptor(owning: socket)
        let theirs = OwnedDescriptor(owning: theirSocket)
        let (answer, theirAnswer) = try Self.pair(Int32(SOCK_SEQPACKET.rawValue))
        let ourAnswer = OwnedDescriptor(owning: answer)
        let process = try send(
            request.encoded(), socket: theirs, tree: tree, answer: OwnedDescriptor(owning: theirAnswer),
            received: ourAnswer)
        return try JailedProcess(
            socket: ours, process: process, launcher: self, stallSeconds: request.limits.stallSeconds)
    }

    private func send(
        _ packet: [UInt8], socket: borrowing OwnedDescriptor, tree: borrowing OwnedDescriptor,
        answer: consuming OwnedDescriptor, received: borrowing OwnedDescriptor
    ) throws(KernelError) -> PidFD {
        let passed = [socket.raw, tree.raw, answer.raw]
        let control = control.raw
        try kernelCall("send", "the unpacker") {
            CLinux_send_descriptors(control, packet, packet.count, passed, Int32(passed.count), 0)
        }
        // A launcher that ends without an answer must be seen.
        _ = consume answer
        let reply = try Self.receive(received.raw, descriptors: 1)
        let descriptor = reply.descriptor.map { OwnedDescriptor(owning: $0) }
        try Self.check(reply.bytes)
        var decoder = JailDecoder(Array(reply.bytes.dropFirst(4)))
        guard let descriptor, let pid = try? decoder.integer(Int32.self) else {
            throw KernelError("start the unpacker", errno: .noChildProcess)
        }
        return PidFD(pid: pid, owning: descriptor)
    }

    private static func receive(
        _ socket: Int32, descriptors wanted: Int
    ) throws(KernelError) -> (bytes: [UInt8], descriptor: Int32?) {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let ready = try kernelCall("poll") { poll(&entry, 1, timeoutMilliseconds) }
        guard ready > 0 else { throw KernelError("start the unpacker", errno: .timedOut) }
        var bytes = [UInt8](repeating: 0, count: 256)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MAX_PASSED_DESCRIPTORS))
        var found: Int32 = 0
        let count = try kernelCall("recvmsg") {
            CLinux_receive_descriptors(socket, &bytes, bytes.count, &descriptors, &found, 0)
        }
        for extra in descriptors[..<Int(found)].dropFirst(wanted) { close(extra) }
        return (Array(bytes[..<count]), wanted > 0 && found > 0 ? descriptors[0] : nil)
    }

    // MARK: Starting

    private static func spawn(_ program: String, control: Int32) throws(KernelError) -> pid_t {
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        // dup2 leaves a descriptor alone that has the right number already, close-on-exec included.
        let lifted = OwnedDescriptor(owning: try kernelCall("dup") { CLinux_fcntl_int(control, F_DUPFD_CLOEXEC, 16) })
        let quiet = OwnedDescriptor(owning: try kernelCall("dup") { CLinux_fcntl_int(null.raw, F_DUPFD_CLOEXEC, 16) })
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for standard: Int32 in 0...2 { posix_spawn_file_actions_adddup2(&actions, quiet.raw, standard) }
        posix_spawn_file_actions_adddup2(&actions, lifted.raw, UnpackLauncherProgram.controlSlot)
        posix_spawn_file_actions_addclosefrom_np(&actions, UnpackLauncherProgram.controlSlot + 1)
        posix_spawn_file_actions_addchdir_np(&actions, "/")

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
        let code = program.withCString { path in
            "swiftlet".withCString { name in
                UnpackLauncherProgram.argument.withCString { argument in
                    // The crash handler starts programs by path: one in a layer must not be what it finds.
                    "SWIFT_BACKTRACE=enable=no".withCString { setting in
                        var arguments: [UnsafeMutablePointer<CChar>?] = [
                            UnsafeMutablePointer(mutating: name), UnsafeMutablePointer(mutating: argument), nil,
                        ]
                        var environment: [UnsafeMutablePointer<CChar>?] = [
                            UnsafeMutablePointer(mutating: setting), nil,
                        ]
                        return posix_spawn(&pid, path, &actions, &attributes, &arguments, &environment)
                    }
                }
            }
        }
        guard code == 0 else { throw KernelError("spawn", program, errno: Errno(rawValue: code)) }
        return pid
    }
}
