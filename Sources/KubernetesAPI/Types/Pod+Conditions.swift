extension PodStatus {
    public func condition(_ type: PodConditionType) -> PodCondition? {
        conditions?.first { $0.type == type.rawValue }
    }

    /// Whether a condition is there and `True`.
    public func isTrue(_ type: PodConditionType) -> Bool {
        condition(type)?.status == ConditionStatus.true.rawValue
    }

    /// Adds a condition or replaces the one of its type.
    ///
    /// `lastTransitionTime` is when `status` last changed: it is kept from the old condition while the status stays.
    /// - Returns: whether anything changed.
    @discardableResult
    public mutating func setCondition(_ condition: PodCondition) -> Bool {
        guard let index = conditions?.firstIndex(where: { $0.type == condition.type }), let old = conditions?[index]
        else {
            conditions = (conditions ?? []) + [condition]
            return true
        }
        var new = condition
        if new.status == old.status { new.lastTransitionTime = old.lastTransitionTime ?? new.lastTransitionTime }
        conditions?[index] = new
        return new != old
    }

    @discardableResult
    public mutating func removeCondition(_ type: PodConditionType) -> Bool {
        let count = conditions?.count ?? 0
        conditions?.removeAll { $0.type == type.rawValue }
        return count != conditions?.count ?? 0
    }
}

extension Pod {
    public func condition(_ type: PodConditionType) -> PodCondition? {
        status?.condition(type)
    }

    /// Whether the pod's `Ready` condition is true.
    public var isReady: Bool { status?.isTrue(.ready) ?? false }

    public var phase: PodPhase? { status?.phase.flatMap(PodPhase.init(rawValue:)) }

    /// Whether the pod has ended for good.
    public var isTerminal: Bool { phase == .succeeded || phase == .failed }

    /// Whether the pod's deletion has been asked for.
    public var isTerminating: Bool { metadata.deletionTimestamp != nil }
}
