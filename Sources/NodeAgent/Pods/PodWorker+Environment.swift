import ContainerImages
import ContainerRuntime
import KubernetesAPI
import Volumes

extension PodWorker {
    /// The container's environment, with the ConfigMaps and Secrets of this moment.
    func environment(
        of container: Container, image: ResolvedImage, home: String
    ) async throws -> ContainerEnvironment {
        let objects = await PodObjects.fetch(
            ContainerEnvironment.objectNames(for: container), namespace: pod.metadata.namespace ?? "",
            from: pod.isStatic ? context.staticObjects : context.objects)
        let environment = try ContainerEnvironment.build(
            pod: pod, container: container,
            inputs: EnvironmentInputs(
                objects: objects, services: context.services(),
                placement: DownwardAPI.Placement(
                    nodeName: context.configuration.nodeName, podIPs: podIPs, hostIPs: context.hostIPs),
                nodeAllocatable: context.nodeAllocatable(), hostname: hostname,
                imageEnvironment: image.config.env, home: home))
        if !environment.skippedKeys.isEmpty {
            record(
                .warning, "InvalidEnvironmentVariableNames",
                "Keys [\(environment.skippedKeys.joined(separator: ", "))] were skipped: they are no variable names",
                container: container.name)
        }
        return environment
    }
}

extension ContainerMount.Propagation {
    init(_ propagation: VolumeMountPoint.Propagation) {
        switch propagation {
        case .none: self = .none
        case .hostToContainer: self = .hostToContainer
        case .bidirectional: self = .bidirectional
        }
    }
}
