/// Runs commands inside containers; supplied by the owner of the containers.
public protocol ProbeExecution: Sendable {
    /// Runs a command to its end, and kills it when the time is up or the task is cancelled.
    ///
    /// - Parameter timeout: nil means as long as it takes.
    func execute(_ command: [String], in containerID: String, timeout: Duration?) async -> ProbeExecutionResult
}

/// How a command inside a container ended.
public enum ProbeExecutionResult: Hashable, Sendable {
    /// - Parameter output: standard output and error as they came; only the first 10 KiB are used.
    case exited(code: Int32, output: [UInt8])
    case timedOut
    /// The command could not be run at all.
    case notRun(message: String)
}
