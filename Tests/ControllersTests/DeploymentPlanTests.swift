import KubernetesAPI
import KubernetesClient
import Testing

@testable import Controllers

@Suite("What a deployment does next")
struct DeploymentPlanTests {
    private static let now = Timestamp(seconds: 1_000_000)

    private static func deployment(
        _ replicas: Int32, image: String = "v2", surge: IntOrString = "25%", unavailable: IntOrString = "25%",
        recreate: Bool = false
    ) -> Deployment {
        var deployment = Deployment(metadata: ObjectMeta(name: "web", namespace: "ns", uid: "d", generation: 2))
        deployment.spec.replicas = replicas
        deployment.spec.selector = LabelSelector(matchLabels: ["app": "web"])
        deployment.spec.template = template(image)
        deployment.spec.strategy = DeploymentStrategy(
            type: recreate ? "Recreate" : "RollingUpdate",
            rollingUpdate: recreate ? nil : RollingUpdateDeployment(maxUnavailable: unavailable, maxSurge: surge))
        deployment.spec.progressDeadlineSeconds = 600
        deployment.spec.revisionHistoryLimit = 10
        return deployment
    }

    private static func template(_ image: String) -> PodTemplateSpec {
        PodTemplateSpec(
            metadata: ObjectMeta(labels: ["app": "web"]),
            spec: PodSpec(containers: [Container(name: "main", image: image)]))
    }

    private static func set(
        _ image: String, _ replicas: Int32, available: Int32? = nil, revision: Int64 = 1, desired: Int32? = nil,
        maximum: Int32? = nil
    ) -> ReplicaSet {
        var set = ReplicaSet(metadata: ObjectMeta(name: "web-\(image)", namespace: "ns", uid: image))
        set.metadata.creationTimestamp = Timestamp(seconds: revision)
        set.metadata.annotations = [DeploymentRevision.annotation: String(revision)]
        if let desired { set.metadata.annotations?[DeploymentRevision.desiredAnnotation] = String(desired) }
        if let maximum { set.metadata.annotations?[DeploymentRevision.maximumAnnotation] = String(maximum) }
        set.spec.replicas = replicas
        set.spec.template = template(image)
        set.spec.template.metadata.labels?["pod-template-hash"] = image
        set.status = ReplicaSetStatus(
            replicas: replicas, readyReplicas: available ?? replicas, availableReplicas: available ?? replicas)
        return set
    }

    /// The sizes the plan gives to sets, by name; a set that is made shows as `new`.
    private func sizes(_ deployment: Deployment, _ sets: [ReplicaSet], oldPods: Bool = false) -> [String: Int32] {
        let plan = DeploymentPlan.make(deployment, sets: sets, hasPods: { _ in oldPods }, now: Self.now)
        var sizes: [String: Int32] = [:]
        for action in plan.actions {
            switch action {
            case .create(let set): sizes["new"] = set.spec.replicas
            case .update(let set):
                let before = sets.first { $0.metadata.uid == set.metadata.uid }?.spec.replicas
                if before != set.spec.replicas { sizes[set.metadata.uid ?? ""] = set.spec.replicas }
            case .delete(let set): sizes["delete \(set.metadata.uid ?? "")"] = 0
            }
        }
        return sizes
    }

    @Test("a new deployment gets one set of full size, the first revision, labelled with the hash of its template")
    func first() throws {
        let plan = DeploymentPlan.make(Self.deployment(3), sets: [], hasPods: { _ in false }, now: Self.now)
        guard case .create(let set)? = plan.actions.first else {
            Issue.record("no set is made: \(plan.actions)")
            return
        }
        #expect(set.spec.replicas == 3 && plan.revision == 1)
        let hash = try #require(set.metadata.labels?["pod-template-hash"])
        #expect(set.metadata.name == "web-\(hash)")
        #expect(set.spec.selector?.matchLabels == ["app": "web", "pod-template-hash": hash])
        #expect(set.metadata.controllerReference?.uid == "d")
    }

    @Test("a rolling update adds as many as may surge, rounded up, and removes none before others are there")
    func surge() {
        #expect(sizes(Self.deployment(4), [Self.set("v1", 4)]) == ["new": 1])
        #expect(sizes(Self.deployment(4, surge: 0, unavailable: 1), [Self.set("v1", 4)]) == ["new": 0])
    }

    @Test("old pods go as far as may be unavailable, rounded down, and as new ones become available")
    func shrink() {
        let new = Self.set("v2", 1, available: 0, revision: 2)
        #expect(sizes(Self.deployment(4), [Self.set("v1", 4), new]) == ["v1": 3])
        let (older, available) = (Self.set("v1", 3), Self.set("v2", 1, revision: 2))
        #expect(sizes(Self.deployment(4), [older, available]) == ["v2": 2])
        let full = [Self.set("v1", 3), Self.set("v2", 2, available: 0, revision: 2)]
        #expect(sizes(Self.deployment(4), full) == [:])
    }

    @Test("old pods that do not work anyway go first and cost no availability")
    func brokenOld() {
        let sets = [Self.set("v1", 4, available: 1), Self.set("v2", 1, available: 1, revision: 2)]
        #expect(sizes(Self.deployment(4, surge: 1, unavailable: 1), sets) == ["v1": 2])
    }

    @Test("a template that was there before is used again and becomes the newest revision")
    func rollback() {
        let sets = [Self.set("v1", 0, revision: 1), Self.set("v2", 0, revision: 2), Self.set("v3", 2, revision: 3)]
        let plan = DeploymentPlan.make(
            Self.deployment(2, image: "v1"), sets: sets, hasPods: { _ in false }, now: Self.now)
        #expect(plan.revision == 4)
        let changed = plan.actions.compactMap { action -> ReplicaSet? in
            if case .update(let set) = action, set.metadata.uid == "v1" { set } else { nil }
        }
        #expect(changed.first?.metadata.annotations?[DeploymentRevision.annotation] == "4")
        #expect(changed.first?.metadata.annotations?[DeploymentRevision.historyAnnotation] == "1")
        #expect(changed.first?.spec.replicas == 1)
    }

    @Test("a template that was read and written back by a client is the same template")
    func roundTrip() {
        var deployment = Self.deployment(2, image: "v1")
        deployment.spec.template.spec.containers[0].resources = ResourceRequirements()
        #expect(sizes(deployment, [Self.set("v1", 2, desired: 2, maximum: 3)]) == [:])
        #expect(
            PodTemplateHash.text(deployment.spec.template, collisionCount: 0)
                == PodTemplateHash.text(Self.template("v1"), collisionCount: 0))
    }

    @Test("recreate ends every old pod before the first new one")
    func recreate() {
        let deployment = Self.deployment(3, recreate: true)
        #expect(sizes(deployment, [Self.set("v1", 3)], oldPods: true) == ["v1": 0])
        #expect(sizes(deployment, [Self.set("v1", 0)], oldPods: true) == [:])
        #expect(sizes(deployment, [Self.set("v1", 0)]) == ["new": 3])
    }

    @Test("a paused deployment makes no new set, but scales what it has")
    func paused() {
        var deployment = Self.deployment(5)
        deployment.spec.paused = true
        #expect(sizes(deployment, [Self.set("v1", 3, desired: 3)]) == ["v1": 5])
        let plan = DeploymentPlan.make(
            deployment, sets: [Self.set("v1", 5)], hasPods: { _ in false }, now: Self.now)
        #expect(plan.status.conditions?.first { $0.type == "Progressing" }?.reason == "DeploymentPaused")
    }

    @Test("a number changed during a rollout is shared out in proportion")
    func proportional() {
        let sets = [
            Self.set("v1", 8, desired: 10, maximum: 13), Self.set("v2", 5, revision: 2, desired: 10, maximum: 13),
        ]
        let sizes = sizes(Self.deployment(20, surge: 3), sets)
        #expect((sizes["v1"] ?? 0) + (sizes["v2"] ?? 0) == 23)
        #expect(sizes["v1"] == 14 && sizes["v2"] == 9)
    }

    @Test("a finished rollout says so and keeps no more history than asked for")
    func history() {
        var deployment = Self.deployment(2, image: "v4")
        deployment.spec.revisionHistoryLimit = 1
        let sets = [
            Self.set("v1", 0, revision: 1), Self.set("v2", 0, revision: 2), Self.set("v3", 0, revision: 3),
            Self.set("v4", 2, revision: 4, desired: 2, maximum: 3),
        ]
        #expect(sizes(deployment, sets) == ["delete v1": 0, "delete v2": 0])
        let plan = DeploymentPlan.make(deployment, sets: sets, hasPods: { _ in false }, now: Self.now)
        let reasons = Set((plan.status.conditions ?? []).compactMap(\.reason))
        #expect(reasons == ["MinimumReplicasAvailable", "NewReplicaSetAvailable"])
        #expect(plan.status.updatedReplicas == 2 && plan.status.unavailableReplicas == nil)
    }

    @Test("a rollout that does not move within its deadline has failed, and says when to look")
    func deadline() {
        var deployment = Self.deployment(2)
        let sets = [
            Self.set("v1", 2, desired: 2, maximum: 3),
            Self.set("v2", 1, available: 0, revision: 2, desired: 2, maximum: 3),
        ]
        let first = DeploymentPlan.make(deployment, sets: sets, hasPods: { _ in false }, now: Self.now)
        #expect(first.nextLook == .seconds(601))
        deployment.status = first.status
        let later = Timestamp(seconds: Self.now.seconds + 601)
        let second = DeploymentPlan.make(deployment, sets: sets, hasPods: { _ in false }, now: later)
        let condition = second.status.conditions?.first { $0.type == "Progressing" }
        #expect(condition?.status == "False" && condition?.reason == "ProgressDeadlineExceeded")
    }

    @Test("bounds of zero on both sides still move")
    func bounds() {
        let bounds = RolloutBounds(Self.deployment(1, surge: "0%", unavailable: "25%"))
        #expect(bounds.maxUnavailable == 1 && bounds.maximum == 1 && bounds.minimumAvailable == 0)
        #expect(RolloutBounds(Self.deployment(.max, surge: "100%")).maximum == .max)
    }
}
