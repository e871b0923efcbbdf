import KubernetesAPI
import Testing

@testable import NodeAgent

struct TerminationMessagesTests {
    private typealias Fixture = LifecycleFixture

    @Test(
        "a message is cut at a whole character",
        arguments: [("abc", 3, "abc"), ("abcd", 3, "abc"), ("aé", 2, "a"), ("a😀b", 4, "a"), ("é", 1, ""), ("", 0, "")])
    func cut(message: String, limit: Int, expected: String) {
        #expect(TerminationMessages.cut(message, limit) == expected)
    }

    @Test("the containers of a pod share 12 KiB", arguments: [1, 4])
    func shared(count: Int) {
        let pod = Fixture.pod(apps: (0..<count).map { Fixture.container("c\($0)") })
        var instance = Fixture.instance("c0", exit: 1)
        let message = String(repeating: "x", count: 20_000)
        instance.state = .exited(ContainerStateTerminated(exitCode: 1, message: message))
        let status = Fixture.status(pod, [instance])
        #expect(status.containerStatuses?.first?.state?.terminated?.message?.utf8.count == 12288 / count)
    }

    @Test("the last state's message is cut too, and init and ephemeral containers count")
    func lastState() {
        var pod = Fixture.pod(inits: [Fixture.container("i")])
        pod.spec.ephemeralContainers = [EphemeralContainer(name: "e")]
        var old = Fixture.instance(exit: 1)
        old.state = .exited(ContainerStateTerminated(exitCode: 1, message: String(repeating: "x", count: 9000)))
        let status = Fixture.status(pod, [old, Fixture.instance(attempt: 1)])
        #expect(status.containerStatuses?.first?.lastState?.terminated?.message?.utf8.count == 4096)
    }
}
