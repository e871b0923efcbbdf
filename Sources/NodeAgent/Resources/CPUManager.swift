import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import Logging

/// Pins containers to processors: those with whole processors of a Guaranteed pod to their own, all others to the rest.
///
/// It holds no truth: what a container was given is kept with it.
actor CPUManager {
    private var assignment: CPUAssignment
    private let runtime: RuntimeService
    private let logger: Logger
    /// What containers in the shared pool run on, by identifier.
    private var pooled: [String: CPUSet] = [:]

    init(topology: CPUTopology, reserved: CPUSet, runtime: RuntimeService, logger: Logger) {
        assignment = CPUAssignment(topology: topology, reserved: reserved)
        self.runtime = runtime
        self.logger = logger
    }

    var shared: CPUSet { assignment.shared }

    /// Takes over what an earlier agent gave its containers, and moves the others to what is shared now.
    func adopt() async {
        for instance in await runtime.containers() where instance.exitRecord == nil {
            guard let held = instance.pinnedProcessors else { continue }
            if !held.intersection(assignment.reserved).isEmpty {
                logger.warning(
                    "container keeps processors that are reserved now until it ends",
                    metadata: ["container": "\(instance.id)", "processors": "\(held)"])
            }
            assignment.adopt(
                held,
                by: CPUAssignment.Holder(
                    podUID: instance.metadata.podUID, container: instance.metadata.name,
                    isInitial: instance.config.labels[ContainerLabel.isInitial] != nil))
        }
        await rebalance()
    }

    /// - Returns: the container's own processors; nil when it is to share.
    func assign(_ container: Container, of pod: Pod) async throws(ContainerConfigError) -> CPUSet? {
        guard let count = PodResources.pinnedProcessors(of: container, in: pod) else { return nil }
        let isInitial = pod.spec.initContainers?.contains { $0.name == container.name && !$0.isSidecar } == true
        let holder = CPUAssignment.Holder(
            podUID: pod.metadata.uid ?? "", container: container.name, isInitial: isInitial)
        guard let own = assignment.assign(count, to: holder) else {
            throw ContainerConfigError(
                "resources: \(count) processors of its own are not free; free are \(assignment.free.count)")
        }
        // The others make room before it starts.
        await rebalance()
        return own
    }

    /// A container that shares was made while others may have been given some of what it was made with.
    func settle(_ id: String, made set: CPUSet) async {
        pooled[id] = set
        await rebalance()
    }

    /// Nothing of the pod runs any more.
    func release(podUID: String) async {
        if assignment.release(podUID: podUID) { await rebalance() }
    }

    private func rebalance() async {
        let instances = await runtime.containers()
        let living = Set(instances.lazy.filter { $0.exitRecord == nil }.map(\.id))
        pooled = pooled.filter { living.contains($0.key) }
        for instance in instances
        where instance.exitRecord == nil && instance.pinnedProcessors == nil {
            let wanted = assignment.shared
            guard pooled[instance.id] != wanted else { continue }
            pooled[instance.id] = wanted
            var resources = CgroupResources()
            resources.cpuSet = wanted.description
            do throws(RuntimeError) {
                _ = try await runtime.updateContainerResources(instance.id, resources)
            } catch {
                logger.warning(
                    "container not moved to the shared processors",
                    metadata: ["container": "\(instance.id)", "error": "\(error)"])
            }
        }
    }
}

extension CPUManager {
    /// Lets every container run everywhere again, when an earlier agent has pinned some of them and this one does not.
    static func unpinAll(in runtime: RuntimeService, topology: CPUTopology = .discover()) async throws(RuntimeError) {
        let living = await runtime.containers().filter { $0.exitRecord == nil }
        guard living.contains(where: { $0.pinnedProcessors != nil }) else { return }
        var everywhere = CgroupResources()
        everywhere.cpuSet = topology.all.description
        for instance in living {
            _ = try await runtime.updateContainerResources(instance.id, everywhere)
            try await runtime.addLabels([ContainerLabel.processors: ""], to: instance.id)
        }
    }
}

extension ContainerInstance {
    /// The processors it has for itself; nil when it shares.
    var pinnedProcessors: CPUSet? {
        guard let label = config.labels[ContainerLabel.processors], !label.isEmpty else { return nil }
        return CPUSet(parsing: label)
    }
}
