import CLinux
import MonitorCoreEmbedded

/// The near ends of a container's standard streams, as its plan wants them.
struct StandardStreams {
    /// A way to standard input that is kept open, or the terminal's master; -1 without.
    var input: Int32 = -1
    var output: Int32 = -1
    var errorOutput: Int32 = -1
    /// Where the master of the terminal arrives during the launch; -1 without.
    var terminalSocket: Int32 = -1

    /// What init is given; closed by whoever launched it.
    struct FarEnds {
        /// 0 is the monitor's own: empty.
        var input: Int32 = 0
        var output: Int32 = -1
        var errorOutput: Int32 = -1

        func closeAll() {
            if input > 0 { close(input) }
            close(output)
            close(errorOutput)
        }
    }

    static func make(for plan: LaunchPlan) throws(SystemError) -> (StandardStreams, FarEnds) {
        var (near, far) = (StandardStreams(), FarEnds())
        (near.output, far.output) = try pipe()
        (near.errorOutput, far.errorOutput) = try pipe()
        for end in [near.output, near.errorOutput] { _ = CLinux_fcntl_int(end, F_SETFL, O_NONBLOCK) }
        for step in plan.steps {
            if case .openTerminal = step {
                (near.terminalSocket, far.input) = try pair()
            } else if case .keepInput = step {
                (far.input, near.input) = try pipe()
            }
        }
        return (near, far)
    }

    /// The master is on its way in, or its launch has failed.
    mutating func receiveTerminal() {
        var byte = UInt8(0)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MAX_PASSED_DESCRIPTORS))
        var count: Int32 = 0
        let length = CLinux_receive_descriptors(
            terminalSocket, &byte, 1, &descriptors, &count, Int32(MSG_DONTWAIT))
        if length < 0, CLinux_errno() == EAGAIN || CLinux_errno() == EINTR { return }
        close(terminalSocket)
        terminalSocket = -1
        guard length == 1, count == 1 else { return }
        if output >= 0 { close(output) }
        output = descriptors[0]
        input = CLinux_fcntl_int(output, F_DUPFD_CLOEXEC, 0)
    }

    private static func pipe() throws(SystemError) -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        try call {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) { CLinux_pipe($0) }
            }
        }
        return ends
    }

    private static func pair() throws(SystemError) -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        try call {
            withUnsafeMutablePointer(to: &ends) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                    socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, $0)
                }
            }
        }
        return ends
    }
}
