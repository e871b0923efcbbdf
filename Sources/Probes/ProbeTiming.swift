import KubernetesAPI

/// The numbers of a probe with the API's defaults in place. Every `Int32` gives a usable value.
struct ProbeTiming: Hashable, Sendable {
    let initialDelay: Duration
    let period: Duration
    let timeout: Duration
    let successThreshold: Int
    let failureThreshold: Int

    init(_ probe: Probe) {
        // Zero and less mean "not given", as in the API's defaulting.
        func positive(_ value: Int32?, orElse fallback: Int32) -> Int {
            Int(value.flatMap { $0 > 0 ? $0 : nil } ?? fallback)
        }
        initialDelay = .seconds(max(0, probe.initialDelaySeconds ?? 0))
        period = .seconds(positive(probe.periodSeconds, orElse: 10))
        timeout = .seconds(positive(probe.timeoutSeconds, orElse: 1))
        successThreshold = positive(probe.successThreshold, orElse: 1)
        failureThreshold = positive(probe.failureThreshold, orElse: 3)
    }
}
