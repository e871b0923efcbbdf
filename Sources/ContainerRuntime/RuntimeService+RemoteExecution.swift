import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// A command in a container on behalf of somebody far away: the near ends of its streams, each owned by whoever takes it.
public struct RemoteExecution: Sendable {
    /// -1 where it was not asked for. Of a terminal, input and output are two descriptors of its master.
    public let input: Int32
    public let output: Int32
    public let error: Int32
    let running: RuntimeService.RunningExecution
}

/// Which streams a command is given; the others are empty, or lead nowhere.
public struct RemoteStreams: Hashable, Sendable {
    public var hasInput: Bool
    public var hasOutput: Bool
    public var hasError: Bool
    public var isTerminal: Bool

    public init(hasInput: Bool, hasOutput: Bool, hasError: Bool, isTerminal: Bool) {
        self.hasInput = hasInput
        self.hasOutput = hasOutput
        self.hasError = hasError
        self.isTerminal = isTerminal
    }
}

extension RuntimeService {
    /// Starts a command on pipes of its own, or on a terminal made in the container. ``wait(for:)`` must follow.
    public func startRemote(
        _ arguments: [String], in id: String, streams: RemoteStreams
    ) async throws(RuntimeError) -> RemoteExecution {
        streams.isTerminal ? try await startOnTerminal(arguments, id) : try startOnPipes(arguments, id, streams)
    }

    /// Waits for the command's end; a caller that is cancelled kills it.
    public nonisolated func wait(for execution: RemoteExecution) async throws(RuntimeError) -> Int32 {
        try await wait(for: execution.running, timeout: nil)
    }

    /// Gives the terminal behind a master another size; whoever runs on it is told by SIGWINCH.
    public static func resize(terminal master: Int32, columns: UInt16, rows: UInt16) {
        _ = CLinux_terminal_resize(master, rows, columns)
    }

    private func startOnPipes(
        _ arguments: [String], _ id: String, _ streams: RemoteStreams
    ) throws(RuntimeError) -> RemoteExecution {
        var input = try Self.pipe()
        var output = try Self.pipe()
        var error = try Self.pipe()
        let nowhere: OwnedDescriptor
        do throws(KernelError) { nowhere = try OwnedDescriptor.open("/dev/null", O_RDWR) } catch {
            throw RuntimeError(error)
        }
        let running = try beginExecution(
            arguments, in: id,
            streams: [
                streams.hasInput ? input.reading : nowhere.raw, streams.hasOutput ? output.writing : nowhere.raw,
                streams.hasError ? error.writing : nowhere.raw,
            ], endsWithAgent: true)
        return RemoteExecution(
            input: streams.hasInput ? input.takeWriting() : -1, output: streams.hasOutput ? output.takeReading() : -1,
            error: streams.hasError ? error.takeReading() : -1, running: running)
    }

    private static func pipe() throws(RuntimeError) -> PipeEnds {
        do throws(KernelError) { return try PipeEnds.pipe() } catch { throw RuntimeError(error) }
    }

    private func startOnTerminal(_ arguments: [String], _ id: String) async throws(RuntimeError) -> RemoteExecution {
        var sockets: PipeEnds
        do throws(KernelError) { sockets = try PipeEnds.socketPair(SOCK_SEQPACKET) } catch {
            throw RuntimeError(error)
        }
        let running = try beginExecution(
            arguments, in: id, streams: [sockets.writing, sockets.writing, sockets.writing], isTerminal: true,
            endsWithAgent: true)
        sockets.closeWriting()
        let socket = OwnedDescriptor(owning: sockets.takeReading())
        let raw = socket.raw
        let masters = await pool.run { Self.receiveTerminal(raw) }
        guard let masters else {
            // Why there is none says the end of the launch.
            _ = try await wait(for: running, timeout: .seconds(10))
            throw RuntimeError(.launchFailed, "the command ended before it had a terminal")
        }
        return RemoteExecution(input: masters.0, output: masters.1, error: -1, running: running)
    }

    /// Waits for the master that a launch sends, at most some seconds: a launch takes milliseconds.
    private static func receiveTerminal(_ socket: Int32) -> (Int32, Int32)? {
        try? SocketTimeout.set(socket, .receiving, seconds: 10)
        var byte = UInt8(0)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MAX_PASSED_DESCRIPTORS))
        var count: Int32 = 0
        guard CLinux_receive_descriptors(socket, &byte, 1, &descriptors, &count, 0) == 1, count == 1 else { return nil }
        let master = descriptors[0]
        let copy = CLinux_fcntl_int(master, F_DUPFD_CLOEXEC, 0)
        if copy < 0 {
            close(master)
            return nil
        }
        return (master, copy)
    }
}
