import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// The program that starts jailed processes: `swiftlet unpack-launcher`, run by the agent as long as there is something to unpack.
///
/// It leaves the host behind once (mounts, network, capabilities), so that each of its children is a copy that needs little more to be
/// confined: cheaper than a new program for every layer. It reads nothing but what the agent tells it, and is gone with the agent.
public enum UnpackLauncherProgram {
    /// Its one argument.
    public static let argument = "unpack-launcher"

    /// Descriptors as it expects them, 0 to 2 being /dev/null.
    static let controlSlot: Int32 = 3

    /// The first packet: the filter of system calls of its children, as an array of `struct sock_filter`.
    static let filterLimitBytes = 64 << 10

    /// What comes with a request, in this order.
    static let descriptorsOfRequest = 3

    /// Whether the program was started to be this.
    public static func isAsked(_ arguments: [String]) -> Bool { arguments.dropFirst() == [argument] }

    /// Serves until the agent closes its end. To be called before anything else, in particular before a second thread is made.
    public static func run() -> Never {
        var status = stat()
        guard fstat(controlSlot, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK, let filter = receiveFilter() else {
            exit(64)
        }
        do throws(KernelError) {
            let capabilities = try UnpackConfinement.leaveHost()
            guard send([UInt8](repeating: 0, count: 4)) else { exit(1) }
            serve(UnpackConfinement(filter: filter, capabilities: capabilities))
        } catch {
            var answer = JailEncoder()
            answer.add(error.errno.rawValue)
            answer.add(error.operation)
            _ = send(answer.bytes)
            exit(1)
        }
    }

    private static func send(_ packet: [UInt8]) -> Bool {
        Glibc.send(controlSlot, packet, packet.count, Int32(MSG_NOSIGNAL)) == packet.count
    }

    private static func receiveFilter() -> [UInt8]? {
        var filter = [UInt8](repeating: 0, count: filterLimitBytes)
        let count = recv(controlSlot, &filter, filter.count, 0)
        guard count > 0, count % 8 == 0 else { return nil }
        return Array(filter[..<count])
    }

    private static func serve(_ confinement: UnpackConfinement) -> Never {
        var packet = [UInt8](repeating: 0, count: UnpackRequest.limitBytes)
        while true {
            var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MAX_PASSED_DESCRIPTORS))
            var found: Int32 = 0
            let count = CLinux_receive_descriptors(controlSlot, &packet, packet.count, &descriptors, &found, 0)
            if count < 0, Errno.current == .interrupted { continue }
            guard count > 0 else { exit(0) }
            let owned = descriptors[..<Int(found)]
            if owned.count == descriptorsOfRequest {
                start(
                    Array(packet[..<count]), socket: owned[0], tree: owned[1], answer: owned[2], confinement)
            }
            for descriptor in owned { close(descriptor) }
        }
    }

    /// Starts one child, and sends a descriptor of it, or why there is none.
    private static func start(
        _ request: [UInt8], socket: Int32, tree: Int32, answer: Int32, _ confinement: UnpackConfinement
    ) {
        var pidFD: Int32 = -1
        let flags = UInt64(CLONE_NEWNS | CLONE_NEWPID | CLONE_PIDFD)
        let pid = CLinux_clone3(flags, &pidFD, 0, UInt64(SIGCHLD))
        if pid == 0 { JailedWork(request: request, socket: socket, tree: tree).run(confinement) }
        var packet = JailEncoder()
        packet.add(pid < 0 ? Errno.current.rawValue : 0)
        packet.add(Int32(truncatingIfNeeded: pid))
        _ = CLinux_send_descriptors(answer, packet.bytes, packet.bytes.count, &pidFD, pid < 0 ? 0 : 1, 0)
        if pidFD >= 0 { close(pidFD) }
    }
}
