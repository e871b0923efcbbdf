import ContainerRuntime
public import KubernetesAPI
import LinuxKernel
import Logging

extension LocalPodHost {
    var values: PodResources { PodResources(policy: configuration.resources, machine: machine) }

    /// How a container's resources are kept with it; empty for one without any.
    static func label(_ resources: ResourceRequirements?) -> String {
        guard let resources, resources != ResourceRequirements(), let json = try? JSONValueEncoder().encode(resources)
        else { return "{}" }
        return String(decoding: json.serialized(), as: UTF8.self)
    }

    /// nil for a container of an agent that did not keep them.
    static func resources(label: String?) -> ResourceRequirements? {
        guard let label else { return nil }
        if label == "{}" { return ResourceRequirements() }
        guard let json = try? JSONValue(parsing: label) else { return nil }
        return try? JSONValueDecoder().decode(ResourceRequirements.self, from: json)
    }

    public func allocate(_ pod: Pod) async {
        for instance in await parts.runtime.containers(ofPod: pod.metadata.uid ?? "") where instance.exitRecord == nil {
            guard let container = pod.spec.container(named: instance.metadata.name),
                instance.config.labels[ContainerLabel.allocatedResources] != nil
            else { continue }
            let label = Self.label(container.resources)
            guard instance.config.labels[ContainerLabel.allocatedResources] != label else { continue }
            await keep([ContainerLabel.allocatedResources: label], with: instance.id)
        }
    }

    public func resize(_ pod: Pod, _ observation: PodObservation) async throws(PodHostError) {
        let steps = ResizePlanner.steps(for: pod, observation, values)
        let live = ResizePlanner.live(pod, observation)
        let ids = Dictionary(live.map { ($0.0.name, $0.1.id) }, uniquingKeysWith: { first, _ in first })
        let runtime = parts.runtime
        do {
            for case .container(let name, let resources) in steps {
                guard let id = ids[name], let instance = await runtime.container(id) else { continue }
                try await refuseBelowUsage(resources.memoryLimitBytes, name, instance)
            }
            for step in steps {
                switch step {
                case .pod(let resources):
                    let (cgroups, path) = (configuration.cgroups, PodPlaces.cgroup(pod))
                    let shortfalls = try await KernelThreadPool.shared.run { () throws(KernelError) in
                        try cgroups.apply(resources, to: path)
                    }
                    reportShortfalls(shortfalls, of: pod)
                case .container(let name, let resources):
                    guard let id = ids[name] else { continue }
                    reportShortfalls(try await runtime.updateContainerResources(id, resources), of: pod)
                }
            }
        } catch let error as PodHostError {
            throw error
        } catch {
            throw PodHostError(reason: "ResizeError", message: "\(error)")
        }
        for (container, instance) in live {
            await keep([ContainerLabel.appliedResources: Self.label(container.resources)], with: instance.id)
        }
    }

    /// The kernel would end the container rather than refuse the limit (v2), or say no more than that it is busy (v1). What
    /// can be dropped of the page cache does not count as used.
    private func refuseBelowUsage(
        _ limit: Int64?, _ name: String, _ instance: ContainerInstance
    ) async throws {
        guard let limit, limit >= 0 else { return }
        let runtime = parts.runtime
        let used = try await KernelThreadPool.shared.run { () throws(RuntimeError) in
            try runtime.usage(of: instance).memoryWorkingSetBytes
        }
        guard let used, used >= UInt64(limit) else { return }
        throw PodHostError(
            reason: "ResizeError",
            message: "attempting to set container \"\(name)\" memory limit (\(limit)) below current usage (\(used))")
    }

    // MARK: Processors

    /// The container's own processors, or those that are shared.
    func pin(_ config: inout ContainerConfig, _ container: Container, of pod: Pod) async throws {
        guard let processors else { return }
        guard let own = try await processors.assign(container, of: pod) else {
            config.resources.cpuSet = await processors.shared.description
            return
        }
        config.resources.cpuSet = own.description
        config.labels[ContainerLabel.processors] = own.description
        let isInitial = pod.spec.initContainers?.contains { $0.name == container.name && !$0.isSidecar } == true
        if isInitial { config.labels[ContainerLabel.isInitial] = "true" }
    }

    /// What is shared may have changed while the container was being made.
    func settle(_ instance: ContainerInstance) async {
        guard let processors, instance.pinnedProcessors == nil,
            let made = instance.config.resources.cpuSet.flatMap({ CPUSet(parsing: $0) })
        else { return }
        await processors.settle(instance.id, made: made)
    }

    /// For an agent after this one.
    func keep(_ labels: [String: String], with id: String) async {
        do throws(RuntimeError) { try await parts.runtime.addLabels(labels, to: id) } catch {
            logger.warning(
                "what is to be known of the container was not recorded",
                metadata: ["container": "\(id)", "error": "\(error)"])
        }
    }
}
