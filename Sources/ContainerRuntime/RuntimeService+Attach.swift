import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// Somebody at a container's own streams: the near ends, each owned by whoever takes it.
public struct Attachment: Sendable {
    /// -1 when the container's input is not kept open, or was not asked for.
    public let input: Int32
    public let output: Int32
    /// -1 with a terminal.
    public let error: Int32
    public let isTerminal: Bool
    public let closesInputAfterFirst: Bool
}

extension RuntimeService {
    /// Joins a running container's streams from now on. What it writes comes through its monitor, which writes the log too; input goes
    /// straight into its pipe or terminal.
    public func attach(to id: String, hasInput: Bool) async throws(RuntimeError) -> Attachment {
        guard let entry = containersByID[id], let connection = entry.connection, entry.status.isRunning else {
            throw RuntimeError(.invalidState, "container \(id) is not running")
        }
        let config = entry.status.config
        // Its monitor would take the request for nonsense, and this agent for a stranger.
        guard config.hasAttachments else { throw Self.olderMonitor }
        do throws(KernelError) {
            var answer = try PipeEnds.socketPair(SOCK_SEQPACKET)
            var output = try PipeEnds.socketPair(SOCK_STREAM)
            var error = try PipeEnds.socketPair(SOCK_STREAM)
            try connection.send(
                .attach,
                descriptors: [answer.writing, output.writing] + (config.isTerminal ? [] : [error.writing]))
            answer.closeWriting()
            output.closeWriting()
            error.closeWriting()
            let socket = OwnedDescriptor(owning: answer.takeReading())
            let raw = socket.raw
            let received = await pool.run { Self.receiveInput(raw) }
            guard let input = received else { throw KernelError("attach", errno: .connectionRefused) }
            if !hasInput, input >= 0 { close(input) }
            return Attachment(
                input: hasInput ? input : -1, output: output.takeReading(),
                error: config.isTerminal ? -1 : error.takeReading(), isTerminal: config.isTerminal,
                closesInputAfterFirst: config.closesInputAfterFirst)
        } catch { throw RuntimeError(.monitorLost, "the container's monitor does not let anybody in: \(error)") }
    }

    /// Standard input of a `stdinOnce` container, after its first client.
    public func closeInput(of id: String) {
        try? containersByID[id]?.connection?.send(.closeInput)
    }

    /// -1 when the monitor answered without a descriptor; nil when it did not answer.
    private static func receiveInput(_ socket: Int32) -> Int32? {
        try? SocketTimeout.set(socket, .receiving, seconds: 5)
        var byte = UInt8(0)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MAX_PASSED_DESCRIPTORS))
        var count: Int32 = 0
        guard CLinux_receive_descriptors(socket, &byte, 1, &descriptors, &count, 0) == 1 else { return nil }
        return count == 1 ? descriptors[0] : -1
    }
}
