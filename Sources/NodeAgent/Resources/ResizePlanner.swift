import KubernetesAPI
public import LinuxKernel

/// Plans how the resources of a running pod are changed: what is written to which cgroup, and in which order. Pure.
public enum ResizePlanner {
    public enum Step: Hashable, Sendable {
        case pod(CgroupResources)
        case container(String, CgroupResources)
    }

    /// A container whose resources differ, and in which of them.
    struct Change: Hashable {
        var container: String
        var names: Set<String>
    }

    /// The containers that two versions of a pod give different amounts of CPU or memory.
    static func changes(from old: PodSpec, to new: PodSpec) -> [Change] {
        let before = old.resourcesByContainer
        return new.resourcesByContainer.sorted { $0.key < $1.key }.compactMap { name, resources in
            guard let was = before[name] else { return nil }
            let names = differences(was, resources)
            return names.isEmpty ? nil : Change(container: name, names: names)
        }
    }

    /// Which of CPU and memory differ.
    static func differences(_ old: ResourceRequirements, _ new: ResourceRequirements) -> Set<String> {
        Set(
            ["cpu", "memory"].filter { name in
                old.requests?[name] != new.requests?[name] || old.limits?[name] != new.limits?[name]
            })
    }

    /// Whether an instance has to be ended so that its next one gets the resources it is due.
    static func needsRestart(_ container: Container, _ instance: ContainerObservation) -> Bool {
        guard let (allocated, applied) = instance.resize else { return false }
        return container.restartsOnResize(of: differences(applied, allocated))
    }

    /// The running containers whose new resources are written into their cgroups as they run.
    static func live(_ pod: Pod, _ observation: PodObservation) -> [(Container, ContainerObservation)] {
        let containers = (pod.spec.initContainers ?? []) + pod.spec.containers
        return containers.compactMap { container in
            guard let newest = observation.newest(container.name), newest.isRunning, newest.resize != nil,
                !needsRestart(container, newest)
            else { return nil }
            return (container, newest)
        }
    }

    /// The pod gets the larger of its values first, then its containers theirs, those that give something up before
    /// those that get something, then the pod what remains. At no moment a container may use more than its pod.
    ///
    /// - Parameter pod: as allocated.
    static func steps(for pod: Pod, _ observation: PodObservation, _ values: PodResources) -> [Step] {
        let live = live(pod, observation)
        guard !live.isEmpty else { return [] }
        var before = pod
        for (container, instance) in live {
            before.spec.setResources(instance.appliedResources ?? container.resources, of: container.name)
        }
        let (old, new) = (values.pod(before), values.pod(pod))
        var steps: [Step] = [.pod(larger(old, new))]
        let ordered = live.map { container, _ in
            let was = before.spec.container(named: container.name) ?? container
            return (
                container.name,
                values.container(was, of: before), values.container(container, of: pod)
            )
        }.enumerated().sorted { one, other in
            let ranks = (rank(one.element.1, one.element.2), rank(other.element.1, other.element.2))
            return ranks.0 == ranks.1 ? one.offset < other.offset : ranks.0 < ranks.1
        }
        steps += ordered.map { .container($0.element.0, lifting($0.element.1, $0.element.2)) }
        steps.append(.pod(lifting(old, new)))
        return steps
    }

    private static func rank(_ old: CgroupResources, _ new: CgroupResources) -> Int {
        let gives =
            unlimited(new.memoryLimitBytes) < unlimited(old.memoryLimitBytes)
            || unlimited(new.cpuQuotaMicroseconds) < unlimited(old.cpuQuotaMicroseconds)
        return gives ? 0 : 1
    }

    private static func unlimited(_ limit: Int64?) -> Int64 { limit.map { $0 < 0 ? .max : $0 } ?? .max }

    /// A limit that is gone has to be lifted: a value that is not given would stay as it is.
    private static func lifting(_ old: CgroupResources, _ new: CgroupResources) -> CgroupResources {
        var result = new
        for limit in [\CgroupResources.cpuQuotaMicroseconds, \.memoryLimitBytes, \.memoryHighBytes]
        where old[keyPath: limit] != nil && new[keyPath: limit] == nil {
            result[keyPath: limit] = -1
        }
        return result
    }

    /// Of each limit the wider one.
    private static func larger(_ old: CgroupResources, _ new: CgroupResources) -> CgroupResources {
        var result = new
        result.cpuShares = max(old.cpuShares ?? 0, new.cpuShares ?? 0)
        for limit in [\CgroupResources.cpuQuotaMicroseconds, \.memoryLimitBytes] {
            let widest = max(unlimited(old[keyPath: limit]), unlimited(new[keyPath: limit]))
            let isGiven = old[keyPath: limit] != nil || new[keyPath: limit] != nil
            result[keyPath: limit] = widest == .max ? (isGiven ? -1 : nil) : widest
        }
        return result
    }
}

extension ContainerObservation {
    /// What it is due and what it has, when they differ.
    var resize: (allocated: ResourceRequirements, applied: ResourceRequirements)? {
        guard let allocatedResources, let appliedResources, allocatedResources != appliedResources else { return nil }
        return (allocatedResources, appliedResources)
    }
}

extension PodSpec {
    /// What each container, init containers included, is given.
    var resourcesByContainer: [String: ResourceRequirements] {
        Dictionary(
            ((initContainers ?? []) + containers).map { ($0.name, $0.resources ?? ResourceRequirements()) },
            uniquingKeysWith: { first, _ in first })
    }

    mutating func setResources(_ resources: ResourceRequirements?, of name: String) {
        for index in containers.indices where containers[index].name == name {
            containers[index].resources = resources
        }
        for index in (initContainers ?? []).indices where initContainers?[index].name == name {
            initContainers?[index].resources = resources
        }
    }

    /// Gives containers of these names these resources; the others keep theirs.
    mutating func setResources(_ resources: [String: ResourceRequirements]) {
        for (name, own) in resources where resourcesByContainer[name] != own { setResources(own, of: name) }
    }
}
