import ContainerRuntime
import KubernetesAPI
import MonitorCore

extension ContainerStateTerminated {
    /// An exit record in the API's words.
    init(_ record: ExitRecord, _ instance: ContainerInstance) {
        self.init(exitCode: record.reportedExitCode)
        if record.failure != nil {
            // As runtimes report a program that could not be started.
            exitCode = 128
            reason = "StartError"
            message = instance.failureMessage
        } else if record.outOfMemory {
            exitCode = 137
            reason = "OOMKilled"
        } else {
            reason = record.reportedExitCode == 0 ? "Completed" : "Error"
        }
        if record.signal != 0 { signal = record.signal }
        if record.startedAt > 0 { startedAt = Timestamp(nanosecondsSinceEpoch: record.startedAt) }
        finishedAt = Timestamp(nanosecondsSinceEpoch: record.finishedAt)
        containerID = "swiftlet://\(instance.id)"
    }
}

extension Timestamp {
    init(nanosecondsSinceEpoch nanoseconds: Int64) {
        let seconds = nanoseconds / 1_000_000_000
        self.init(seconds: seconds, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}
