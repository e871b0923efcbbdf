import KubernetesAPI
import Testing

@testable import NodeAgent

struct RestartDecisionTests {
    private typealias Fixture = LifecycleFixture

    @Test(
        "a container's own policy is above the pod's",
        arguments: [
            ("Always", nil, 0, true), ("OnFailure", nil, 0, false), ("OnFailure", nil, 1, true),
            ("Never", nil, 1, false),
            ("", nil, 0, true), ("Never", "Always", 0, true), ("Never", "OnFailure", 0, false),
            ("Never", "OnFailure", 7, true), ("Always", "Never", 7, false), ("Always", "OnFailure", 0, false),
            ("Never", "nonsense", 1, false),
        ] as [(String, String?, Int32, Bool)])
    func policies(pod: String, own: String?, exitCode: Int32, restarts: Bool) {
        let decision = RestartDecision(Fixture.pod(pod))
        #expect(decision.restarts(Fixture.container("app", policy: own), exitCode: exitCode) == restarts)
    }

    @Test(
        "a rule is above the container's own policy, the first that is about the exit code counts",
        arguments: [(0, false), (1, false), (42, true), (43, false), (44, true)] as [(Int32, Bool)])
    func rules(exitCode: Int32, restarts: Bool) {
        let container = Fixture.container(
            "app", policy: "Never",
            rules: [
                ContainerRestartRule(action: "Restart"), Fixture.rule("Restart", "In", 42),
                Fixture.rule("Unheard", "In", 43), Fixture.rule("Restart", "In", 43, 44),
            ])
        #expect(RestartDecision(Fixture.pod()).restarts(container, exitCode: exitCode) == restarts)
    }

    @Test("NotIn is about every other code", arguments: [(0, true), (3, false)] as [(Int32, Bool)])
    func notIn(exitCode: Int32, restarts: Bool) {
        let container = Fixture.container("app", policy: "Never", rules: [Fixture.rule("Restart", "NotIn", 3)])
        #expect(RestartDecision(Fixture.pod()).restarts(container, exitCode: exitCode) == restarts)
    }

    @Test("rules without a policy of the container's own do not hold")
    func rulesAlone() {
        let container = Fixture.container("app", rules: [Fixture.rule("Restart", "In", 42)])
        #expect(!RestartDecision(Fixture.pod("Never")).restarts(container, exitCode: 42))
    }

    @Test(
        "after a failed probe only policies count, as there is no exit code yet",
        arguments: [
            ("Always", nil, true), ("Never", nil, false), ("Never", "OnFailure", true), ("Always", "Never", false),
        ]
            as [(String, String?, Bool)])
    func afterKill(pod: String, own: String?, restarts: Bool) {
        let container = Fixture.container("app", policy: own, rules: [Fixture.rule("Restart", "NotIn", 0)])
        #expect(RestartDecision(Fixture.pod(pod)).restartsAfterKill(container) == restarts)
    }

    @Test("a rule can restart all containers, unless one before it is about the same code")
    func restartsAll() {
        let all = Fixture.rule("RestartAllContainers", "In", 5, 6)
        let container = Fixture.container("app", policy: "Never", rules: [Fixture.rule("Restart", "In", 5), all])
        let decision = RestartDecision(Fixture.pod(apps: [container]))
        #expect(decision.couldRestartAll)
        #expect(!decision.restartsAll(container, exitCode: 5))
        #expect(decision.restartsAll(container, exitCode: 6))
        #expect(decision.restarts(container, exitCode: 6))
        #expect(!RestartDecision(Fixture.pod()).couldRestartAll)
    }
}
