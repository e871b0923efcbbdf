import KubernetesAPI

/// Whether a pod that runs may have other resources than it was given. Pure.
enum ResizeAdmission {
    /// - Parameters:
    ///   - pod: as the node has allocated it.
    ///   - desired: the same with the resources asked for.
    ///   - others: the other pods, as they are allocated.
    ///   - allocatable: what pods may use of the node; a resource that is not in it is not limited.
    static func decide(
        _ pod: Pod, to desired: Pod, beside others: some Sequence<Pod>, allocatable: [String: Quantity],
        policy: ResourcePolicy
    ) -> ResizeVerdict {
        if let reason = whyNever(pod, desired, policy) { return .infeasible(reason) }
        let (wanted, held) = (ResourceAmounts(requestsOf: desired.spec), ResourceAmounts(requestsOf: pod.spec))
        let capacity = ResourceAmounts(allocatable)
        for name in ["cpu", "memory"] where allocatable[name] != nil && wanted[name] > capacity[name] {
            return .infeasible(
                "Node didn't have enough capacity: \(name), requested: \(wanted[name]), capacity: \(capacity[name])")
        }
        var used = ResourceAmounts()
        for other in others { used = used + ResourceAmounts(requestsOf: other.spec) }
        for name in ["cpu", "memory"] where allocatable[name] != nil && wanted[name] > held[name] {
            if ResourceAmounts.saturatingSum(used[name], wanted[name]) > capacity[name] {
                return .deferred(
                    "Node didn't have enough resource: \(name), requested: \(wanted[name]), used: \(used[name]), "
                        + "capacity: \(capacity[name])")
            }
        }
        return .granted
    }

    private static func whyNever(_ pod: Pod, _ desired: Pod, _ policy: ResourcePolicy) -> String? {
        if pod.isStatic { return "In-place resize of static pods is not supported" }
        if pod.spec.resources != desired.spec.resources {
            return "In-place resize of resources of the whole pod is not supported"
        }
        if pod.spec.qosClass != desired.spec.qosClass { return "The QoS class of a pod may not change" }
        let changed = ResizePlanner.changes(from: pod.spec, to: desired.spec)
        if policy.pinsProcessors, pod.qosClass == .guaranteed, changed.contains(where: { $0.names.contains("cpu") }) {
            return "Resize is infeasible for Guaranteed Pods alongside CPU Manager static policy"
        }
        if policy.swap == .limitedSwap {
            // How much may be swapped follows from the memory asked for, and can only shrink by swapping in.
            for change in changed where change.names.contains("memory") {
                guard let container = desired.spec.container(named: change.container),
                    !container.restartsOnResize(of: ["memory"])
                else { continue }
                return "In-place resize of containers with swap is not supported"
            }
        }
        return nil
    }
}

extension Container {
    /// Whether a change of one of these resources takes effect only with a restart.
    func restartsOnResize(of names: Set<String>) -> Bool {
        (resizePolicy ?? []).contains { names.contains($0.resourceName) && $0.restartPolicy == "RestartContainer" }
    }
}
