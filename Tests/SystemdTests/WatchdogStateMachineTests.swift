import Testing

@testable import Systemd

@Suite struct WatchdogStateMachineTests {
    @Test("pings while healthy, withholds while not, and tells each change once")
    func changes() {
        var machine = WatchdogStateMachine()
        var actions: [WatchdogStateMachine.Action] = []
        for healthy in [true, true, false, false, false, true, true, false] {
            actions.append(machine.checked(healthy: healthy))
        }
        #expect(
            actions == [
                .ping, .ping, .beginWithholding, .withhold, .withhold, .pingAfterRecovery, .ping, .beginWithholding,
            ])
    }
}
