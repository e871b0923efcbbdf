import KubernetesAPI

/// The sets of one deployment and how they are to change.
struct DeploymentRollout {
    static let hashLabel = "pod-template-hash"

    let deployment: Deployment
    let bounds: RolloutBounds
    /// The set of the present template; nil until it is made.
    private(set) var new: ReplicaSet?
    /// All others, the oldest first.
    private(set) var old: [ReplicaSet]
    private(set) var actions: [DeploymentPlan.Action] = []
    /// The revision of the present template, when its set is there or being made.
    private(set) var currentRevision: Int64?

    init(_ deployment: Deployment, sets: [ReplicaSet]) {
        self.deployment = deployment
        bounds = RolloutBounds(deployment)
        let ordered = sets.sorted { left, right in
            let (first, second) = (left.metadata.creationTimestamp, right.metadata.creationTimestamp)
            if let first, let second, first != second { return first < second }
            return (left.metadata.name ?? "") < (right.metadata.name ?? "")
        }
        let template = deployment.spec.template.comparable
        let index = ordered.firstIndex { $0.spec.template.comparable == template }
        new = index.map { ordered[$0] }
        old = ordered.enumerated().filter { $0.offset != index }.map(\.element)
    }

    var all: [ReplicaSet] { old + (new.map { [$0] } ?? []) }

    mutating func decide(hasPods: (ReplicaSet) -> Bool) {
        if let new {
            let newest = old.map(\.revision).max() ?? 0
            currentRevision = max(newest + 1, new.revision)
        }
        if deployment.spec.paused == true || isBeingScaled {
            scale()
        } else if deployment.isRolling {
            roll()
        } else {
            recreate(hasPods: hasPods)
        }
        refreshAnnotations()
        if actions.isEmpty { removeHistory() }
    }

    /// The number of replicas has changed since the sets were last given theirs.
    private var isBeingScaled: Bool {
        all.contains { set in
            guard set.wanted > 0,
                let desired = set.metadata.annotations?[DeploymentRevision.desiredAnnotation].flatMap({ Int32($0) })
            else { return false }
            return desired != bounds.replicas
        }
    }

    // MARK: Changing sets

    private mutating func set(_ set: ReplicaSet, to replicas: Int32) {
        guard set.wanted != replicas else { return }
        var changed = set
        changed.spec.replicas = replicas
        changed.metadata.annotations = DeploymentRevision.annotations(
            set.metadata.annotations, deployment: deployment, bounds: bounds,
            revision: set.metadata.uid == new?.metadata.uid ? currentRevision : nil)
        replace(changed)
        actions.append(.update(changed))
    }

    private mutating func replace(_ set: ReplicaSet) {
        if new?.metadata.uid == set.metadata.uid { new = set }
        if let index = old.firstIndex(where: { $0.metadata.uid == set.metadata.uid }) { old[index] = set }
    }

    /// Revision and the annotations the deployment passes on, where no other change has brought them.
    private mutating func refreshAnnotations() {
        for set in all where !isTouched(set) {
            let isNew = set.metadata.uid == new?.metadata.uid
            guard isNew || set.wanted > 0 else { continue }
            var changed = set
            changed.metadata.annotations = DeploymentRevision.annotations(
                set.metadata.annotations, deployment: deployment, bounds: bounds,
                revision: isNew ? currentRevision : nil)
            if isNew { changed.spec.minReadySeconds = deployment.spec.minReadySeconds }
            guard changed != set else { continue }
            replace(changed)
            actions.append(.update(changed))
        }
    }

    private func isTouched(_ set: ReplicaSet) -> Bool {
        actions.contains { action in
            switch action {
            case .update(let changed): changed.metadata.uid == set.metadata.uid
            case .create, .delete: false
            }
        }
    }

    private mutating func create(replicas: Int32) {
        var set = ReplicaSet()
        var template = deployment.spec.template
        let hash = PodTemplateHash.text(template, collisionCount: deployment.status?.collisionCount ?? 0)
        template.metadata.labels = (template.metadata.labels ?? [:]).merging([Self.hashLabel: hash]) { _, new in new }
        set.metadata.name = "\(deployment.metadata.name ?? "")-\(hash)"
        set.metadata.namespace = deployment.metadata.namespace
        set.metadata.labels = template.metadata.labels
        set.metadata.ownerReferences = [deployment.controllingReference]
        let revision = (old.map(\.revision).max() ?? 0) + 1
        set.metadata.annotations = DeploymentRevision.annotations(
            nil, deployment: deployment, bounds: bounds, revision: revision)
        set.spec.replicas = replicas
        set.spec.minReadySeconds = deployment.spec.minReadySeconds
        set.spec.template = template
        var selector = deployment.spec.selector ?? LabelSelector()
        selector.matchLabels = (selector.matchLabels ?? [:]).merging([Self.hashLabel: hash]) { _, new in new }
        set.spec.selector = selector
        currentRevision = revision
        actions.append(.create(set))
    }

    // MARK: Strategies

    private mutating func recreate(hasPods: (ReplicaSet) -> Bool) {
        for set in old { self.set(set, to: 0) }
        guard actions.isEmpty, !old.contains(where: hasPods) else { return }
        guard let new else { return create(replicas: bounds.replicas) }
        set(new, to: bounds.replicas)
    }

    private mutating func roll() {
        let total = Self.sum(all.map(\.wanted))
        let room = Int32(clamping: max(0, Int64(bounds.maximum) - total))
        guard let new else { return create(replicas: min(room, bounds.replicas)) }
        if new.wanted > bounds.replicas { return set(new, to: bounds.replicas) }
        let grown = new.wanted + min(room, bounds.replicas - new.wanted)
        if grown != new.wanted { return set(new, to: grown) }
        shrinkOld(new, total: total)
    }

    /// Takes away old pods: first those that are not available anyway, then as many as the new ones make up for.
    private mutating func shrinkOld(_ new: ReplicaSet, total: Int64) {
        let unavailableNew = Int64(max(0, new.wanted - new.available))
        var mayGo = total - Int64(bounds.minimumAvailable) - unavailableNew
        guard mayGo > 0 else { return }
        let availableAll = Self.sum(all.map(\.available))
        var spare = max(0, availableAll - Int64(bounds.minimumAvailable))
        for set in old where set.wanted > 0 && mayGo > 0 {
            let broken = min(mayGo, Int64(max(0, set.wanted - set.available)))
            let working = min(mayGo - broken, spare, Int64(set.wanted) - broken)
            mayGo -= broken + working
            spare -= working
            self.set(set, to: Int32(clamping: Int64(set.wanted) - broken - working))
        }
    }

    /// Gives a changed number of replicas to the sets, in proportion while a rollout is under way.
    private mutating func scale() {
        let active = all.filter { $0.wanted > 0 }
        if active.count <= 1 {
            if let only = active.first ?? new ?? old.last { set(only, to: bounds.replicas) }
            return
        }
        if let new, new.wanted == bounds.replicas, new.available == bounds.replicas,
            new.metadata.annotations?[DeploymentRevision.desiredAnnotation] == String(bounds.replicas)
        {
            for set in old { self.set(set, to: 0) }
            return
        }
        guard deployment.isRolling else { return }
        let toAdd = Int64(bounds.maximum) - Self.sum(active.map(\.wanted))
        // The largest first; of equals the newest grows first and the oldest shrinks first.
        let ordered = (toAdd > 0 ? active.reversed() : active).sorted { $0.wanted > $1.wanted }
        var sizes = ordered.map { Int64($0.wanted) }
        var added: Int64 = 0
        for (index, set) in ordered.enumerated() where toAdd != 0 {
            let share = bounds.replicas == 0 ? -sizes[index] : share(of: set)
            let allowed = toAdd - added
            let change = toAdd > 0 ? min(share, allowed) : max(share, allowed)
            sizes[index] += change
            added += change
        }
        if let first = sizes.first { sizes[0] = max(0, first + toAdd - added) }
        for (set, size) in zip(ordered, sizes) { self.set(set, to: Int32(clamping: max(0, size))) }
    }

    /// How much a set changes when all keep their part of the whole.
    private func share(of set: ReplicaSet) -> Int64 {
        let annotated = set.metadata.annotations?[DeploymentRevision.maximumAnnotation].flatMap { Int64($0) }
        let whole = max(1, annotated ?? Int64(deployment.status?.replicas ?? bounds.replicas))
        let size = Double(set.wanted) * Double(bounds.maximum) / Double(whole)
        return Int64(size.rounded()) - Int64(set.wanted)
    }

    private static func sum(_ numbers: [Int32]) -> Int64 { numbers.reduce(0) { $0 + Int64($1) } }

    // MARK: History

    /// Sets of old templates beyond those that are kept for a rollback; only once the rollout is complete.
    private mutating func removeHistory() {
        guard let limit = deployment.spec.revisionHistoryLimit, let new, new.wanted == bounds.replicas,
            new.available == bounds.replicas, old.allSatisfy({ ($0.status?.replicas ?? 0) == 0 })
        else { return }
        let idle = old.filter { set in
            set.wanted == 0 && (set.status?.replicas ?? 0) == 0 && set.metadata.deletionTimestamp == nil
                && (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0)
        }
        let surplus = idle.count - Int(max(0, limit))
        guard surplus > 0 else { return }
        for set in idle.sorted(by: { $0.revision < $1.revision }).prefix(surplus) { actions.append(.delete(set)) }
    }
}

/// A short name for a template, equal for equal templates.
enum PodTemplateHash {
    /// Letters and digits that make no words.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

    /// - Parameter collisionCount: how often the name was taken by another template already.
    static func text(_ template: PodTemplateSpec, collisionCount: Int32) -> String {
        let bytes = (try? JSONValueEncoder().encode(template.comparable).serialized(sortedKeys: true)) ?? []
        // FNV-1a, 32 bits.
        var hash: UInt32 = 2_166_136_261
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        for byte in bytes { add(byte) }
        if collisionCount > 0 { for byte in String(collisionCount).utf8 { add(byte) } }
        let digits = String(hash).utf8.map { alphabet[Int($0) % alphabet.count] }
        return String(decoding: digits, as: UTF8.self)
    }
}

extension PodTemplateSpec {
    /// The template without what says nothing: the label of its own hash, and resources that are given and empty, as
    /// clients write them who read the template and write it back.
    var comparable: PodTemplateSpec {
        var template = self
        template.metadata.labels?[DeploymentRollout.hashLabel] = nil
        if template.metadata.labels?.isEmpty == true { template.metadata.labels = nil }
        for index in template.spec.containers.indices
        where template.spec.containers[index].resources == ResourceRequirements() {
            template.spec.containers[index].resources = nil
        }
        for index in template.spec.initContainers?.indices ?? 0..<0
        where template.spec.initContainers?[index].resources == ResourceRequirements() {
            template.spec.initContainers?[index].resources = nil
        }
        return template
    }
}
