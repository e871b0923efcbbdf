import KubernetesAPI

/// What a replica set needs done. Pure: `(object, pods, now) → actions + status`.
struct ReplicaSetPlan: Equatable {
    /// Pods made or removed in one run at most: a wrong number does not flood the server.
    static let burstLimit = 500

    /// New pods to make.
    var creations = 0
    var deletions: [Pod] = []
    /// Pods without a controller that the selector chooses.
    var adoptions: [Pod] = []
    /// Own pods that the selector no longer chooses.
    var releases: [Pod] = []
    var status: ReplicaSetStatus
    /// When a pod becomes available by having been ready long enough.
    var nextLook: Duration?

    /// - Parameters:
    ///   - owned: pods this set controls.
    ///   - orphans: pods of the namespace that nobody controls.
    static func make(_ set: ReplicaSet, owned: [Pod], orphans: [Pod], now: Timestamp) -> ReplicaSetPlan {
        guard let selector = try? set.spec.selector?.selector(), !selector.isEverything else {
            return ReplicaSetPlan(status: set.status ?? ReplicaSetStatus())
        }
        let (kept, lost) = owned.split { selector.matches($0.metadata.labels ?? [:]) }
        let isLeaving = set.metadata.deletionTimestamp != nil
        let adopted = isLeaving ? [] : orphans.filter { $0.isActive && selector.matches($0.metadata.labels ?? [:]) }
        let active = (kept + adopted).filter(\.isActive)
        let (status, nextLook) = status(of: set, active: active, owned: kept, now: now)
        var plan = ReplicaSetPlan(status: status)
        plan.nextLook = nextLook
        plan.adoptions = adopted
        plan.releases = isLeaving ? [] : lost.filter { $0.metadata.deletionTimestamp == nil }
        guard !isLeaving else { return plan }
        let wanted = Int(max(0, set.spec.replicas ?? 1))
        if active.count < wanted {
            plan.creations = min(wanted - active.count, burstLimit)
        } else if active.count > wanted {
            plan.deletions = Array(
                active.sorted { goesBefore($0, $1, now: now) }.prefix(min(active.count - wanted, burstLimit)))
        }
        return plan
    }

    /// Whether one pod is given up before another: the one that does less and has done it less long.
    static func goesBefore(_ left: Pod, _ right: Pod, now: Timestamp) -> Bool {
        let ranks: [(Pod) -> Int64] = [
            { ($0.spec.nodeName ?? "").isEmpty ? 0 : 1 },
            { $0.phase == .running ? 2 : $0.phase == .pending ? 0 : 1 },
            { $0.isReady ? 1 : 0 },
            { deletionCost($0) },
            // Ready for less long goes first; a pod that is not ready has no such time.
            { -($0.condition(.ready)?.lastTransitionTime?.seconds ?? 0) },
            { -Int64($0.status?.containerStatuses?.map(\.restartCount).max() ?? 0) },
            { -($0.metadata.creationTimestamp?.seconds ?? 0) },
        ]
        for rank in ranks {
            let (first, second) = (rank(left), rank(right))
            if first != second { return first < second }
        }
        return (left.metadata.name ?? "") < (right.metadata.name ?? "")
    }

    private static func deletionCost(_ pod: Pod) -> Int64 {
        pod.metadata.annotations?["controller.kubernetes.io/pod-deletion-cost"].flatMap { Int32($0) }.map(Int64.init)
            ?? 0
    }

    private static func status(
        of set: ReplicaSet, active: [Pod], owned: [Pod], now: Timestamp
    ) -> (ReplicaSetStatus, Duration?) {
        let labels = set.spec.template.metadata.labels ?? [:]
        var status = set.status ?? ReplicaSetStatus()
        var (ready, available, labelled) = (Int32(0), Int32(0), Int32(0))
        var nextLook: Duration?
        for pod in active {
            if labels.allSatisfy({ pod.metadata.labels?[$0.key] == $0.value }) { labelled += 1 }
            guard pod.isReady else { continue }
            ready += 1
            let wait = pod.secondsUntilAvailable(minReadySeconds: set.spec.minReadySeconds ?? 0, now: now)
            if wait <= 0 { available += 1 } else { nextLook = min(nextLook ?? .seconds(wait), .seconds(wait)) }
        }
        status.replicas = Int32(clamping: active.count)
        status.fullyLabeledReplicas = labelled
        status.readyReplicas = ready
        status.availableReplicas = available
        status.terminatingReplicas = Int32(
            clamping: owned.count { $0.metadata.deletionTimestamp != nil && !$0.isTerminal })
        status.observedGeneration = set.metadata.generation
        return (status, nextLook)
    }

    /// The pod the set makes, without a name: the server draws one.
    static func pod(from set: ReplicaSet) -> Pod {
        var pod = Pod(spec: set.spec.template.spec)
        pod.metadata.generateName = "\(set.metadata.name ?? "")-"
        pod.metadata.namespace = set.metadata.namespace
        pod.metadata.labels = set.spec.template.metadata.labels
        pod.metadata.annotations = set.spec.template.metadata.annotations
        pod.metadata.finalizers = set.spec.template.metadata.finalizers
        pod.metadata.ownerReferences = [set.controllingReference]
        return pod
    }
}

extension Pod {
    /// Neither ended nor about to.
    var isActive: Bool { !isTerminal && metadata.deletionTimestamp == nil }

    /// Seconds until a ready pod counts as available; 0 when it does.
    func secondsUntilAvailable(minReadySeconds: Int32, now: Timestamp) -> Int64 {
        guard minReadySeconds > 0, let since = condition(.ready)?.lastTransitionTime else { return 0 }
        return max(0, since.seconds + Int64(minReadySeconds) - now.seconds)
    }
}

extension Array {
    /// Those that pass, and those that do not.
    func split(_ passes: (Element) -> Bool) -> (yes: [Element], no: [Element]) {
        (filter(passes), filter { !passes($0) })
    }
}
