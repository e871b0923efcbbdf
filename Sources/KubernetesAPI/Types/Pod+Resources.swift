extension PodSpec {
    /// What the node must set aside for the pod, by resource name: the larger of what its containers need together and
    /// what its start needs at any moment, replaced by the pod's own requests where given, plus the overhead.
    public var totalRequests: [String: Quantity] {
        var total = combined { $0.resources?.requests ?? [:] }
        total.merge(Self.podLevel(resources?.requests)) { _, pod in pod }
        return total.merging(overhead ?? [:], uniquingKeysWith: +)
    }

    /// The most the pod may use, by resource name. A resource some container does not limit counts only what the others
    /// allow: ask ``isLimited(_:)`` before enforcing it on the whole pod. The overhead widens only existing limits.
    public var totalLimits: [String: Quantity] {
        var total = combined { $0.resources?.limits ?? [:] }
        total.merge(Self.podLevel(resources?.limits)) { _, pod in pod }
        for (name, quantity) in overhead ?? [:] {
            if let limit = total[name], !limit.isZero { total[name] = limit + quantity }
        }
        return total
    }

    /// Whether the pod as a whole, or every one of its containers, has a limit for a resource.
    public func isLimited(_ name: String) -> Bool {
        if let limit = Self.podLevel(resources?.limits)[name], !limit.isZero { return true }
        return (containers + (initContainers ?? [])).allSatisfy { container in
            container.resources?.limits?[name].map { !$0.isZero } ?? false
        }
    }

    /// The init containers that keep running beside the pod's containers.
    public var sidecars: [Container] {
        (initContainers ?? []).filter(\.isSidecar)
    }

    /// Sums over containers that run together and takes the largest need of the start, where each ordinary init
    /// container runs beside the sidecars before it.
    private func combined(_ quantities: (Container) -> [String: Quantity]) -> [String: Quantity] {
        var running: [String: Quantity] = [:]
        for container in containers { running.merge(quantities(container), uniquingKeysWith: +) }
        var sidecarsSoFar: [String: Quantity] = [:]
        var starting: [String: Quantity] = [:]
        for container in initContainers ?? [] {
            let own = quantities(container)
            let atThatMoment = sidecarsSoFar.merging(own, uniquingKeysWith: +)
            if container.isSidecar {
                running.merge(own, uniquingKeysWith: +)
                sidecarsSoFar = atThatMoment
            }
            starting.merge(atThatMoment, uniquingKeysWith: max)
        }
        return running.merging(starting, uniquingKeysWith: max)
    }

    /// The resources that can be given for a whole pod.
    public static func podLevel(_ quantities: [String: Quantity]?) -> [String: Quantity] {
        (quantities ?? [:]).filter {
            $0.key == "cpu" || $0.key == "memory" || $0.key.utf8.starts(with: "hugepages-".utf8)
        }
    }
}

extension Container {
    /// Whether it keeps running beside the pod's containers when it is an init container.
    public var isSidecar: Bool { restartPolicy == RestartPolicy.always.rawValue }
}
