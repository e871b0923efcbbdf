import CSystemd
import Logging

extension ServiceNotifier {
    /// How long the service manager waits for a sign of life before it kills the service (`WatchdogSec=`); `nil` when
    /// it does not watch this process.
    public static var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    /// Restarts the manager's timer twice per interval, as sd_watchdog_enabled(3) advises, for as long as `healthy`
    /// answers yes. A check that hangs counts as unhealthy: no ping is sent before it answers.
    ///
    /// Returns only when the task is cancelled, also without a watchdog, so that it may run as a service beside the
    /// others.
    public func runWatchdog(
        interval: Duration? = Self.watchdogInterval,
        clock: some Clock<Duration> = ContinuousClock(),
        healthy: @Sendable () async -> Bool
    ) async {
        guard let interval else {
            for await _ in AsyncStream<Never>.makeStream().stream {}
            return
        }
        var machine = WatchdogStateMachine()
        while !Task.isCancelled {
            act(on: machine.checked(healthy: await healthy()))
            do { try await clock.sleep(for: interval / 2) } catch { return }
        }
    }

    private func act(on action: WatchdogStateMachine.Action) {
        switch action {
        case .ping:
            watchdog()
        case .pingAfterRecovery:
            watchdog()
            logger.notice("the health check passes again")
        case .beginWithholding:
            logger.error("the health check fails: the service manager restarts the agent unless it recovers")
        case .withhold:
            break
        }
    }
}
