import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// What becomes of a command run inside a container.
enum ExecutionEvent: Sendable {
    case started
    case failed(LaunchFailure)
    case exited(exitCode: Int32)
}

/// A finished command: its code and the head of what it wrote.
public struct ExecutionResult: Hashable, Sendable {
    public let exitCode: Int32
    public let standardOutput: [UInt8]
    public let standardError: [UInt8]
}

extension RuntimeService {
    /// Runs a command inside a running container on the given descriptors and waits for its end. The bytes flow between the
    /// command and whoever holds the other ends, never through the monitor or the agent.
    public func execute(
        _ arguments: [String], in id: String, standardInput: Int32, standardOutput: Int32, standardError: Int32
    ) async throws(RuntimeError) -> Int32 {
        guard let entry = containersByID[id], let connection = entry.connection, entry.status.isRunning else {
            throw RuntimeError(.invalidState, "container \(id) is not running")
        }
        guard let sandbox = sandboxesByID[entry.status.sandboxID] else {
            throw RuntimeError(.notFound, "sandbox \(entry.status.sandboxID) does not exist")
        }
        let config = entry.status.config
        let plan = try LaunchPlanner.planExecution(
            of: arguments, in: config, sandbox: sandbox,
            cgroup: try ContainerLaunch.cgroupFacts(config, configuration), seccomp: try ContainerLaunch.seccomp(config)
        )
        let identifier = UInt32.random(in: .min ... .max)
        let (events, continuation) = AsyncStream<ExecutionEvent>.makeStream()
        executions[identifier] = continuation
        defer { executions[identifier] = nil }
        do throws(KernelError) {
            let memory = try OwnedDescriptor.sealedMemory(name: "launch-plan", plan.encoded())
            try kernelCall("lseek") { lseek(memory.raw, 0, SEEK_SET) }
            try connection.send(
                .execute(identifier: identifier),
                descriptors: [memory.raw, standardInput, standardOutput, standardError])
        } catch { throw RuntimeError(.monitorLost, "the container's monitor is gone: \(error)") }
        for await event in events {
            switch event {
            case .started: continue
            case .failed(let failure):
                throw RuntimeError(.launchFailed, failure.message(in: plan), launchFailure: failure)
            case .exited(let exitCode): return exitCode
            }
        }
        // Cancelled, or the container ended with the command in it.
        try? connection.send(.signalExecution(identifier: identifier, signal: SIGKILL))
        throw RuntimeError(.invalidState, "the command was ended with its container or caller")
    }

    /// As ``execute(_:in:standardInput:standardOutput:standardError:)`` with the output collected, at most `outputLimit` bytes of each.
    /// When the caller is cancelled the command is killed.
    public func executeSync(
        _ arguments: [String], in id: String, outputLimit: Int = 16384
    ) async throws(RuntimeError) -> ExecutionResult {
        let output: CollectedPipe
        let errors: CollectedPipe
        let null: Int32
        do throws(KernelError) {
            output = try CollectedPipe(limit: outputLimit, loop: loop)
            errors = try CollectedPipe(limit: outputLimit, loop: loop)
            null = try OwnedDescriptor.open("/dev/null", O_RDONLY).release()
        } catch { throw RuntimeError(error) }
        defer { close(null) }
        let exitCode = try await execute(
            arguments, in: id, standardInput: null, standardOutput: output.writeEnd, standardError: errors.writeEnd)
        return ExecutionResult(
            exitCode: exitCode, standardOutput: output.finish(), standardError: errors.finish())
    }

    func yield(_ event: ExecutionEvent, to identifier: UInt32) {
        guard let continuation = executions[identifier] else { return }
        continuation.yield(event)
        switch event {
        case .started: break
        case .failed, .exited: continuation.finish()
        }
    }
}
