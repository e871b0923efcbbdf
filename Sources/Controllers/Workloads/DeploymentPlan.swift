import KubernetesAPI

/// What a deployment needs done next. Pure: `(object, replica sets, now) → actions + status`. One step at a time: what
/// the step changes brings the next run.
struct DeploymentPlan: Equatable {
    enum Action: Equatable {
        case create(ReplicaSet)
        /// Replaces the set of the same name and version.
        case update(ReplicaSet)
        case delete(ReplicaSet)
    }

    var actions: [Action] = []
    /// The revision the deployment itself shall carry; nil leaves it.
    var revision: Int64?
    var status = DeploymentStatus()
    /// When the progress deadline may run out.
    var nextLook: Duration?

    /// - Parameters:
    ///   - sets: those the deployment controls.
    ///   - hasPods: whether pods of a set may still run, asked for when all old ones must be gone first.
    static func make(
        _ deployment: Deployment, sets: [ReplicaSet], hasPods: (ReplicaSet) -> Bool, now: Timestamp
    ) -> DeploymentPlan {
        var rollout = DeploymentRollout(deployment, sets: sets)
        if deployment.metadata.deletionTimestamp == nil { rollout.decide(hasPods: hasPods) }
        var plan = DeploymentPlan(actions: rollout.actions)
        let shownRevision = deployment.metadata.annotations?[DeploymentRevision.annotation]
        if let revision = rollout.currentRevision, shownRevision != String(revision) { plan.revision = revision }
        (plan.status, plan.nextLook) = DeploymentProgress(deployment, rollout).status(now: now)
        return plan
    }
}

/// The numbers behind a rollout's bounds.
struct RolloutBounds: Equatable {
    var replicas: Int32
    var maxSurge: Int32 = 0
    var maxUnavailable: Int32 = 0

    init(_ deployment: Deployment) {
        replicas = max(0, deployment.spec.replicas ?? 1)
        guard deployment.isRolling else { return }
        let bounds = deployment.spec.strategy?.rollingUpdate
        maxSurge = max(0, (bounds?.maxSurge ?? "25%").scaled(to: replicas, roundUp: true) ?? 0)
        maxUnavailable = max(0, (bounds?.maxUnavailable ?? "25%").scaled(to: replicas, roundUp: false) ?? 0)
        // Both 0 would never move: then one at a time.
        if maxSurge == 0, maxUnavailable == 0 { maxUnavailable = 1 }
        maxUnavailable = min(maxUnavailable, replicas)
    }

    /// Pods there may be at the same time.
    var maximum: Int32 { replicas == 0 ? 0 : Int32(clamping: Int64(replicas) + Int64(maxSurge)) }
    /// Pods that must be available at all times.
    var minimumAvailable: Int32 { replicas - maxUnavailable }
}

extension Deployment {
    var isRolling: Bool { spec.strategy?.type != "Recreate" }
}

extension ReplicaSet {
    var wanted: Int32 { max(0, spec.replicas ?? 1) }
    var available: Int32 { status?.availableReplicas ?? 0 }
    var revision: Int64 { DeploymentRevision.of(metadata.annotations) }
}

/// Revisions number the templates a deployment has had.
enum DeploymentRevision {
    static let annotation = "deployment.kubernetes.io/revision"
    static let historyAnnotation = "deployment.kubernetes.io/revision-history"
    static let desiredAnnotation = "deployment.kubernetes.io/desired-replicas"
    static let maximumAnnotation = "deployment.kubernetes.io/max-replicas"
    /// Set by whoever applies an object; says nothing about its sets.
    private static let ownAnnotations: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", annotation, historyAnnotation, desiredAnnotation,
        maximumAnnotation, "deprecated.deployment.rollback.to",
    ]

    static func of(_ annotations: [String: String]?) -> Int64 {
        annotations?[annotation].flatMap { Int64($0) } ?? 0
    }

    /// The annotations of a set for this deployment: its own, those the deployment passes on, and the numbers.
    static func annotations(
        _ present: [String: String]?, deployment: Deployment, bounds: RolloutBounds, revision: Int64?
    ) -> [String: String] {
        var annotations = present ?? [:]
        for (key, value) in deployment.metadata.annotations ?? [:] where !ownAnnotations.contains(key) {
            annotations[key] = value
        }
        annotations[desiredAnnotation] = String(bounds.replicas)
        annotations[maximumAnnotation] = String(Int64(bounds.replicas) + Int64(bounds.maxSurge))
        if let revision {
            let old = of(annotations)
            if old < revision {
                if old > 0 {
                    let history = annotations[historyAnnotation].map { "\($0),\(old)" } ?? String(old)
                    annotations[historyAnnotation] = history
                }
                annotations[annotation] = String(revision)
            }
        }
        return annotations
    }
}
