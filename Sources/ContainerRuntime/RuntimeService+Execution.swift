import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// A finished command: its code and the head of what it wrote.
public struct ExecutionResult: Hashable, Sendable {
    public let exitCode: Int32
    /// Standard output and error as they came.
    public let output: [UInt8]
}

/// How to run one command in one container, made once: probes run the same one for years.
struct ExecutionPlan: Sendable {
    let plan: LaunchPlan
    let encoded: [UInt8]
    /// As whom it runs, as the host counts.
    let userID: UInt32
}

extension RuntimeService {
    /// Runs a command inside a running container on the given descriptors and waits for its end. The bytes flow between the
    /// command and whoever holds the other ends, never through the monitor or the agent.
    ///
    /// - Parameter timeout: the command is killed when it takes longer; nil means as long as it takes.
    /// - Throws: ``RuntimeError/Code/deadlineExceeded`` after the timeout.
    public func execute(
        _ arguments: [String], in id: String, standardInput: Int32, standardOutput: Int32, standardError: Int32,
        timeout: Duration? = nil
    ) async throws(RuntimeError) -> Int32 {
        let running = try beginExecution(arguments, in: id, streams: [standardInput, standardOutput, standardError])
        return try await wait(for: running, timeout: timeout)
    }

    /// A command that was handed to its container's monitor; ``wait(for:timeout:)`` must follow.
    struct RunningExecution: Sendable {
        let identifier: UInt32
        let execution: PendingExecution
        let connection: MonitorConnection
        let plan: LaunchPlan
    }

    /// - Parameters:
    ///   - streams: standard input, output and error; with a terminal, sockets to take its master from.
    ///   - endsWithAgent: killed when this agent ends. Of no effect with a monitor of an earlier version.
    func beginExecution(
        _ arguments: [String], in id: String, streams: [Int32], isTerminal: Bool = false, endsWithAgent: Bool = false
    ) throws(RuntimeError) -> RunningExecution {
        guard let entry = containersByID[id], let connection = entry.connection, entry.status.isRunning else {
            throw RuntimeError(.invalidState, "container \(id) is not running")
        }
        if isTerminal, !entry.status.config.hasAttachments { throw Self.olderMonitor }
        let plan = try executionPlan(arguments, id, entry, isTerminal: isTerminal)
        for stream in streams { Self.give(stream, to: plan.userID) }
        let execution = PendingExecution(containerID: id)
        let identifier = executions.add(execution)
        do throws(KernelError) {
            let memory = try OwnedDescriptor.sealedMemory(name: "launch-plan", plan.encoded)
            let request: MonitorRequest =
                endsWithAgent && entry.status.config.hasAttachments
                ? .executeForCaller(identifier: identifier) : .execute(identifier: identifier)
            try connection.send(request, descriptors: [memory.raw] + streams)
        } catch {
            executions.remove(identifier)
            throw RuntimeError(.monitorLost, "the container's monitor is gone: \(error)")
        }
        return RunningExecution(
            identifier: identifier, execution: execution, connection: connection, plan: plan.plan)
    }

    /// Waits for a command's end; a caller that is cancelled ends it.
    nonisolated func wait(for running: RunningExecution, timeout: Duration?) async throws(RuntimeError) -> Int32 {
        let (execution, identifier, connection) = (running.execution, running.identifier, running.connection)
        defer { executions.remove(identifier) }
        let deadline = timeout.map { loop.schedule(after: $0) { execution.end(.timedOut) } }
        defer { if let deadline { loop.remove(deadline) } }
        switch await execution.wait() {
        case .failed(let failure):
            throw RuntimeError(.launchFailed, Self.message(of: failure, running.plan), launchFailure: failure)
        case .exited(let exitCode): return exitCode
        case .timedOut:
            try? connection.send(.signalExecution(identifier: identifier, signal: SIGKILL))
            throw RuntimeError(.deadlineExceeded, "the command took too long and was killed")
        case .abandoned:
            try? connection.send(.signalExecution(identifier: identifier, signal: SIGKILL))
            throw RuntimeError(.invalidState, "the command was ended with its container or caller")
        }
    }

    static let olderMonitor = RuntimeError(
        .invalidState,
        "the container was started by an older version, whose monitor cannot do this: restart the container")

    private static func message(of failure: LaunchFailure, _ plan: LaunchPlan) -> String {
        if failure.step == LaunchFailure.noStep, failure.errno == EPROTO {
            return olderMonitor.message
        }
        return failure.message(in: plan)
    }

    /// As ``execute(_:in:standardInput:standardOutput:standardError:timeout:)`` with the output collected, at most `outputLimit`
    /// bytes of it. When the caller is cancelled the command is killed.
    public func executeSync(
        _ arguments: [String], in id: String, outputLimit: Int = 16384, timeout: Duration? = nil
    ) async throws(RuntimeError) -> ExecutionResult {
        let output: CollectedPipe
        do throws(KernelError) { output = try CollectedPipe(limit: outputLimit, loop: loop) } catch {
            throw RuntimeError(error)
        }
        let exitCode = try await execute(
            arguments, in: id, standardInput: nullDevice.raw, standardOutput: output.writeEnd,
            standardError: output.writeEnd, timeout: timeout)
        return ExecutionResult(exitCode: exitCode, output: output.finish())
    }

    /// A container has at most a few commands that are run again and again; whatever else is run is not worth keeping.
    private static let keptPlans = 8

    private func executionPlan(
        _ arguments: [String], _ id: String, _ entry: Entry, isTerminal: Bool
    ) throws(RuntimeError) -> ExecutionPlan {
        if !isTerminal, let plan = entry.executionPlans[arguments] { return plan }
        guard let sandbox = sandboxesByID[entry.status.sandboxID] else {
            throw RuntimeError(.notFound, "sandbox \(entry.status.sandboxID) does not exist")
        }
        let config = entry.status.config
        let plan = try LaunchPlanner.planExecution(
            of: arguments, in: config, sandbox: sandbox,
            cgroup: try ContainerLaunch.cgroupFacts(config, configuration),
            seccomp: try ContainerLaunch.seccomp(ofRunning: id, config, configuration), isTerminal: isTerminal)
        let user = sandbox.ids.map { $0.hostID(config.userID) ?? $0.first } ?? config.userID
        let made = ExecutionPlan(plan: plan, encoded: plan.encoded(), userID: user)
        if !isTerminal, entry.executionPlans.count < Self.keptPlans {
            containersByID[id]?.executionPlans[arguments] = made
        }
        return made
    }

    /// A pipe is to be opened anew, by /dev/stdout, by whoever the command runs as.
    private static func give(_ stream: Int32, to user: UInt32) {
        var status = stat()
        guard fstat(stream, &status) == 0, status.st_mode & S_IFMT == S_IFIFO, status.st_uid != user else { return }
        _ = fchown(stream, user, gid_t.max)
    }
}
