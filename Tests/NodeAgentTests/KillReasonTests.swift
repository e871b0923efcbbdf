import Testing

@testable import NodeAgent

struct KillReasonTests {
    private typealias Fixture = LifecycleFixture

    @Test(
        "the event says what happened, and of the pod's own containers whether they come back",
        arguments: [
            (.definitionChanged, "app", "Never", "Container app definition changed, will be restarted"),
            (.definitionChanged, "side", "Never", "Init container side definition changed"),
            (.livenessFailed, "app", "Always", "Container app failed liveness probe, will be restarted"),
            (.livenessFailed, "app", "Never", "Container app failed liveness probe"),
            (.livenessFailed, "side", "Always", "Init container side failed liveness probe"),
            (.startupFailed, "app", "OnFailure", "Container app failed startup probe, will be restarted"),
            (.startupFailed, "side", "Never", "Init container side failed startup probe"),
            (.postStartFailed, "app", "Always", "FailedPostStartHook"),
            (.restartAllContainers, "app", "Always", "killing"),
            (.onlySidecarsLeft, "side", "Always", "Stopping container side"),
            (.neverStarted, "gone", "Always", "Stopping container gone"),
        ] as [(KillReason, String, String, String)])
    func messages(reason: KillReason, container: String, policy: String, message: String) {
        let pod = Fixture.pod(policy, inits: [Fixture.sidecar("side")])
        #expect(reason.eventMessage(container, in: pod) == message)
    }
}
