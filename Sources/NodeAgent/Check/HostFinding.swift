/// One thing a host has or lacks, with what to do about it (`swiftlet check`).
public struct HostFinding: Hashable, Sendable {
    public enum Severity: String, Sendable {
        case ok, warning, failure
    }

    public var severity: Severity
    public var subject: String
    public var message: String
    /// What to do; empty when all is well.
    public var fix: String
    /// How much it counts in the host's score, from 1.
    public var weight: Int

    public init(_ severity: Severity, _ subject: String, _ message: String, fix: String = "", weight: Int = 3) {
        self.severity = severity
        self.subject = subject
        self.message = message
        self.fix = fix
        self.weight = weight
    }
}

/// How well a host suits pods: 100 when nothing is amiss. What is doubtful counts half.
public struct HostScore: Hashable, Sendable {
    public var points: Int
    public var failures: Int
    public var warnings: Int

    public init(_ findings: [HostFinding]) {
        failures = findings.count { $0.severity == .failure }
        warnings = findings.count { $0.severity == .warning }
        let whole = findings.reduce(0) { $0 + 2 * $1.weight }
        let reached = findings.reduce(0) { sum, finding in
            switch finding.severity {
            case .ok: sum + 2 * finding.weight
            case .warning: sum + finding.weight
            case .failure: sum
            }
        }
        points = whole > 0 ? reached * 100 / whole : 100
    }
}
