import Logging
import Systemd

/// Where log lines go: structured to the journal when systemd started us, else one readable line each.
enum LogOutput {
    static func logger(_ label: String) -> Logger {
        Logger(label: label) { _ in
            if JournalStream.isConnected { return JournalLogHandler() }
            return LineLogHandler()
        }
    }
}
