import KubernetesAPI

/// Runs a command inside the container; exit code 0 is success.
struct ExecProbe {
    private let action: ExecAction
    private let container: Container
    private let execution: any ProbeExecution

    init(_ action: ExecAction, container: Container, execution: any ProbeExecution) {
        self.action = action
        self.container = container
        self.execution = execution
    }

    func run(in containerID: String, timeout: Duration) async -> ProbeOutcome {
        let command: [String]
        do throws(VariableExpansionError) {
            command = try expandedCommand()
        } catch {
            return .error(message: error.description)
        }
        switch await execution.execute(command, in: containerID, timeout: timeout) {
        case .exited(code: 0, let output): return .success(message: ProbeText.text(output))
        case .exited(_, let output): return .failure(message: ProbeText.text(output))
        case .timedOut:
            let line = JSONValue.string(command.joined(separator: " "))
            return .failure(message: "command timed out: \(line) timed out after \(timeout.goText)")
        case .notRun(let message): return .error(message: message)
        }
    }

    /// `$(VAR)` stands for the `value` written in the container's `env`; one from elsewhere is empty here.
    private func expandedCommand() throws(VariableExpansionError) -> [String] {
        var values: [String: String] = [:]
        for variable in container.env ?? [] { values[variable.name] = variable.value ?? "" }
        var command: [String] = []
        for argument in action.command ?? [] {
            command.append(try VariableExpansion.expand(argument) { values[$0] })
        }
        return command
    }
}
