/// What the probes of a pod's running instances have found, by container id.
public struct ProbeVerdicts: Hashable, Sendable {
    /// Why an instance is to be killed.
    public struct Failure: Hashable, Sendable {
        /// `liveness` or `startup`.
        public var kind: ProbeKind
        /// The probe's own grace period for this kill, in seconds; nil means the pod's.
        public var gracePeriodSeconds: Int64?

        public init(kind: ProbeKind, gracePeriodSeconds: Int64? = nil) {
            self.kind = kind
            self.gracePeriodSeconds = gracePeriodSeconds
        }
    }

    /// Without an entry there is no verdict yet: what the status says stays.
    public var ready: [String: Bool]
    public var started: [String: Bool]
    /// The instances to kill.
    public var failed: [String: Failure]

    public init(ready: [String: Bool] = [:], started: [String: Bool] = [:], failed: [String: Failure] = [:]) {
        self.ready = ready
        self.started = started
        self.failed = failed
    }
}
