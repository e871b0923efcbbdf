import ContainerRuntime
import KubernetesAPI

/// The logs of the pods on this node.
public struct PodLogs: Sendable {
    private let agent: NodeAgent
    private let host: LocalPodHost

    public init(agent: NodeAgent, host: LocalPodHost) {
        self.agent = agent
        self.host = host
    }

    /// A reader for the log of a pod's container, or the words why there is none.
    public func reader(
        namespace: String, pod name: String, container requested: String?, options: ContainerLogOptions
    ) async throws(ContainerLogError) -> ContainerLogReader {
        guard
            let pod = await agent.pods().first(where: { $0.metadata.namespace == namespace && $0.metadata.name == name }
            )
        else { throw .notFound("pod \(namespace)/\(name) is not on this node") }
        let container = try containerName(requested, in: pod)
        let newest = await host.runtime.containers(ofPod: pod.metadata.uid ?? "").filter {
            $0.metadata.name == container
        }
        .sorted { $0.metadata.attempt > $1.metadata.attempt }
        let chosen = options.previous ? newest.dropFirst().first : newest.first
        guard let chosen else {
            if options.previous {
                throw .badRequest("previous terminated container \"\(container)\" in pod \"\(name)\" not found")
            }
            let statuses = (pod.status?.containerStatuses ?? []) + (pod.status?.initContainerStatuses ?? [])
            let reason = statuses.first { $0.name == container }?.state?.waiting?.reason ?? "ContainerCreating"
            throw .badRequest("container \"\(container)\" in pod \"\(name)\" is waiting to start: \(reason)")
        }
        let runtime = host.runtime
        return try ContainerLogReader(path: chosen.config.logPath, options: options) {
            await runtime.hasEnded(chosen.id)
        }
    }

    private func containerName(_ requested: String?, in pod: Pod) throws(ContainerLogError) -> String {
        let name = pod.metadata.name ?? ""
        let all =
            (pod.spec.initContainers ?? []) + pod.spec.containers
            + (pod.spec.ephemeralContainers ?? []).map(\.container)
        if let requested, !requested.isEmpty {
            guard all.contains(where: { $0.name == requested }) else {
                throw .badRequest("container \(requested) is not valid for pod \(name)")
            }
            return requested
        }
        guard pod.spec.containers.count == 1, let only = pod.spec.containers.first else {
            let names = pod.spec.containers.map(\.name).joined(separator: " ")
            throw .badRequest("a container name must be specified for pod \(name), choose one of: [\(names)]")
        }
        return only.name
    }
}
