import KubernetesAPI

/// How long containers get to end. The preStop hook runs in it, a sidecar's turn is waited for in it, and what then remains is the
/// time between the stop signal and the kill.
enum TerminationGrace {
    /// A pod always gets this, so that a signal handler can run.
    private static let minimumPodSeconds: Int64 = 1
    /// Between the stop signal and the kill, however much the hook and the waiting took.
    private static let minimumStopWindow = Duration.seconds(2)
    /// `spec.terminationGracePeriodSeconds` where a pod does not say.
    private static let defaultSeconds: Int64 = 30
    /// Longer graces (68 years) are no different, and could not be added to a time.
    private static let maximumSeconds = Int64(Int32.max)

    /// - Parameter asked: by the deletion or the node; nil leaves it to the pod.
    static func pod(_ pod: Pod, asked: Int64? = nil) -> Duration {
        let seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? defaultSeconds
        return .seconds(min(max(seconds, minimumPodSeconds), maximumSeconds))
    }

    static func stopWindow(remaining: Duration) -> Duration { max(remaining, minimumStopWindow) }
}
