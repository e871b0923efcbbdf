import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("Who goes first when memory is used up")
struct OutOfMemoryScoreTests {
    private let node: Int64 = 4_000_000_000

    private func container(_ name: String, memory: Int64? = nil, limit: Int64? = nil) -> Container {
        var container = Container(name: name)
        var resources = ResourceRequirements()
        if let memory { resources.requests = ["memory": .bytes(memory)] }
        if let limit { resources.limits = ["memory": .bytes(limit), "cpu": .cores(1)] }
        container.resources = resources
        return container
    }

    private func pod(_ containers: [Container], initContainers: [Container]? = nil) -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: "p", uid: "u"), spec: PodSpec(containers: containers))
        pod.spec.initContainers = initContainers
        // As the API server stores it.
        pod.spec.applyResourceDefaults()
        return pod
    }

    private func score(_ name: String, _ pod: Pod) throws -> Int32 {
        let container = try #require(pod.spec.container(named: name))
        return OutOfMemoryScore.score(of: container, in: pod, nodeMemoryBytes: node)
    }

    @Test("Guaranteed is safest, BestEffort goes first")
    func classes() throws {
        #expect(try score("a", pod([container("a", limit: 1 << 20)])) == -997)
        #expect(try score("a", pod([container("a")])) == 1000)
    }

    @Test(
        "Burstable is the safer the more it requested, never as safe as Guaranteed",
        arguments: [
            (1_000_000_000, 750), (1, 999), (4_000_000_000, 3), (3_999_999_999, 3), (2_000_000, 999), (12_000_000, 997),
        ]
            as [(Int64, Int32)])
    func burstable(request: Int64, expected: Int32) throws {
        #expect(try score("a", pod([container("a", memory: request)])) == expected)
    }

    @Test("a container without a request in a Burstable pod is nearly BestEffort")
    func withoutRequest() throws {
        #expect(try score("b", pod([container("a", memory: 1_000_000_000), container("b")])) == 999)
    }

    @Test("a critical pod of the node is as safe as a Guaranteed one, one of the cluster is not")
    func critical() throws {
        var critical = pod([container("a", memory: 1_000_000_000)])
        critical.spec.priority = 2_000_001_000
        critical.spec.priorityClassName = "system-node-critical"
        #expect(try score("a", critical) == -997)
        critical.spec.priorityClassName = "system-cluster-critical"
        #expect(try score("a", critical) == 750)
    }

    @Test("a sidecar does not go before any container of its pod")
    func sidecar() throws {
        var sidecar = container("s", memory: 400_000_000)
        sidecar.restartPolicy = "Always"
        let initial = container("i", memory: 400_000_000)
        let pod = pod([container("a", memory: 1_000_000_000), container("b")], initContainers: [sidecar, initial])
        // Its own would be 900; a has 750.
        #expect(try score("s", pod) == 750)
        #expect(try score("i", pod) == 900)
    }

    @Test("what the pod requests beyond its containers is shared among them")
    func podLevel() throws {
        var pod = pod([container("a", memory: 1_000_000_000), container("b")])
        pod.spec.resources = ResourceRequirements(requests: ["memory": .bytes(2_000_000_000)])
        // 500 MB each on top: 1500 and 500 of 4000.
        #expect(try score("a", pod) == 625)
        #expect(try score("b", pod) == 875)
    }
}
