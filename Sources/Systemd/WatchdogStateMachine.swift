/// Decides when the watchdog's timer is restarted: while healthy, and never otherwise. It remembers the last finding so
/// that a change is told once and a long illness does not fill the log.
struct WatchdogStateMachine: ~Copyable {
    enum Action: Hashable {
        case ping
        /// Healthy again after at least one withheld ping.
        case pingAfterRecovery
        /// The first unhealthy check: the manager kills and restarts the service unless it recovers within the
        /// interval.
        case beginWithholding
        case withhold
    }

    private enum State {
        case healthy
        case unhealthy
    }

    private var state = State.healthy

    mutating func checked(healthy: Bool) -> Action {
        switch (state, healthy) {
        case (.healthy, true): return .ping
        case (.unhealthy, false): return .withhold
        case (.healthy, false):
            state = .unhealthy
            return .beginWithholding
        case (.unhealthy, true):
            state = .healthy
            return .pingAfterRecovery
        }
    }
}
