import KubernetesAPI
import KubernetesClient
import Testing

@testable import Controllers

@Suite("What a replica set needs")
struct ReplicaSetPlanTests {
    static let now = Timestamp(seconds: 1_000_000)

    static func set(_ replicas: Int32, minReadySeconds: Int32? = nil) -> ReplicaSet {
        var set = ReplicaSet(metadata: ObjectMeta(name: "web", namespace: "ns", uid: "set", generation: 3))
        set.spec.replicas = replicas
        set.spec.minReadySeconds = minReadySeconds
        set.spec.selector = LabelSelector(matchLabels: ["app": "web"])
        set.spec.template.metadata.labels = ["app": "web"]
        return set
    }

    static func pod(
        _ name: String, phase: PodPhase = .running, readySince: Int64? = 0, labels: [String: String] = ["app": "web"],
        node: String? = "n1", leaving: Bool = false
    ) -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: name, namespace: "ns", uid: "uid-\(name)", labels: labels))
        pod.spec.nodeName = node
        if leaving { pod.metadata.deletionTimestamp = now }
        pod.status = PodStatus(phase: phase.rawValue)
        if let readySince {
            let since = Timestamp(seconds: readySince)
            pod.status?.conditions = [PodCondition(type: "Ready", status: "True", lastTransitionTime: since)]
        }
        return pod
    }

    private func plan(_ set: ReplicaSet, _ owned: [Pod], orphans: [Pod] = []) -> ReplicaSetPlan {
        ReplicaSetPlan.make(set, owned: owned, orphans: orphans, now: Self.now)
    }

    @Test("missing pods are made; ended and leaving ones do not count")
    func creates() {
        let plan = plan(
            Self.set(3), [Self.pod("a"), Self.pod("b", phase: .failed), Self.pod("c", leaving: true)])
        #expect(plan.creations == 2 && plan.deletions.isEmpty)
        #expect(plan.status.replicas == 1 && plan.status.readyReplicas == 1)
        #expect(plan.status.terminatingReplicas == 1 && plan.status.observedGeneration == 3)
    }

    @Test("of too many pods those go first that do least")
    func deletes() {
        let pods = [
            Self.pod("old", readySince: 10), Self.pod("new", readySince: 20), Self.pod("unready", readySince: nil),
            Self.pod("pending", phase: .pending, readySince: nil),
            Self.pod("unbound", phase: .pending, readySince: nil, node: nil),
        ]
        #expect(
            plan(Self.set(1), pods).deletions.map(\.metadata.name) == ["unbound", "pending", "unready", "new"])
    }

    @Test("a pod that says it is dear stays longer")
    func deletionCost() {
        var dear = Self.pod("dear", readySince: 20)
        dear.metadata.annotations = ["controller.kubernetes.io/pod-deletion-cost": "10"]
        #expect(
            plan(Self.set(1), [dear, Self.pod("cheap", readySince: 10)]).deletions.map(\.metadata.name) == ["cheap"])
    }

    @Test("a pod of nobody that fits is taken over; one that no longer fits is let go and replaced")
    func adoption() {
        let stranger = Self.pod("stranger", labels: ["app": "other"])
        let plan = plan(
            Self.set(2), [stranger], orphans: [Self.pod("orphan"), Self.pod("foreign", labels: ["app": "x"])])
        #expect(plan.adoptions.map(\.metadata.name) == ["orphan"])
        #expect(plan.releases.map(\.metadata.name) == ["stranger"])
        #expect(plan.creations == 1)
    }

    @Test("a ready pod counts as available only after the time the set asks for, and the set looks again then")
    func minReady() {
        let plan = plan(
            Self.set(2, minReadySeconds: 30), [Self.pod("a", readySince: 999_980), Self.pod("b", readySince: 999_970)])
        #expect(plan.status.readyReplicas == 2 && plan.status.availableReplicas == 1)
        #expect(plan.nextLook == .seconds(10))
    }

    @Test("a set that is being deleted makes and removes nothing")
    func leaving() {
        var set = Self.set(3)
        set.metadata.deletionTimestamp = Self.now
        let plan = plan(set, [], orphans: [Self.pod("orphan")])
        #expect(plan.creations == 0 && plan.adoptions.isEmpty)
    }

    @Test("a set without a selector, or one that selects everything, touches nothing")
    func noSelector() {
        for selector in [nil, LabelSelector()] {
            var set = Self.set(3)
            set.spec.selector = selector
            #expect(plan(set, [Self.pod("a")], orphans: [Self.pod("b")]).creations == 0)
        }
    }

    @Test("no single run floods the server")
    func burst() {
        #expect(plan(Self.set(.max), []).creations == 500)
    }
}
