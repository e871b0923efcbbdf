import KubernetesAPI
import LinuxKernel

extension VolumeManager {
    /// Has storage drivers and other machines provide what they are to provide, and makes sure that a look into it does not hang.
    ///
    /// - Returns: by volume where it is, or why not.
    func attach(
        _ planned: [PlannedVolume], context: (PlannedVolume) -> VolumeContext
    ) async -> [String: Result<String, VolumeError>] {
        var attached: [String: Result<String, VolumeError>] = [:]
        for volume in planned {
            do throws(VolumeError) {
                let context = context(volume)
                if let attachment = try volume.plugin.attachment(context) {
                    let path = try await path(of: attachment, context)
                    try await requireAnswer(path)
                    attached[volume.name] = .success(path)
                } else if let path = try volume.plugin.foreignPath(context) {
                    try await requireAnswer(path)
                }
            } catch { attached[volume.name] = .failure(error) }
        }
        return attached
    }

    private func path(of attachment: VolumeAttachment, _ context: VolumeContext) async throws(VolumeError) -> String {
        switch attachment {
        case .network(let export):
            try await export.mount(at: context.directory, pool: pool)
            return context.directory
        case .driver(let volume):
            guard let drivers else {
                throw VolumeError(.unsupported, "\(context.fieldPath): storage drivers are not served here")
            }
            var publication = StorageDrivers.Publication(
                volume: volume, directory: context.directory, readOnly: context.isReadOnlyClaim)
            publication.group = try context.groupID()
            publication.stageSecrets = try await secret(volume.stageSecret)
            publication.publishSecrets = try await secret(volume.publishSecret)
            if volume.isEphemeral { publication.podFacts = context.podFacts }
            return try await drivers.publish(publication)
        }
    }

    private func secret(_ reference: ObjectReference?) async throws(VolumeError) -> [String: String] {
        guard let reference, let name = reference.name else { return [:] }
        let namespace = reference.namespace ?? ""
        guard let secret = try await objects.secret(namespace: namespace, name: name) else {
            throw VolumeError(.notFound, "secret \"\(namespace)/\(name)\" not found")
        }
        return (secret.data ?? [:]).compactMapValues { Base64.decode($0).map { String(decoding: $0, as: UTF8.self) } }
    }
}

extension VolumeContext {
    /// The pod's claim may only be read, whatever its volume allows.
    fileprivate var isReadOnlyClaim: Bool {
        pod.spec.volumes?.first { $0.name == volumeName }?.persistentVolumeClaim?.readOnly == true
    }

    /// What a driver hears of the pod that brings its volume along.
    fileprivate var podFacts: [String: String] {
        let prefix = "csi.storage.k8s.io/"
        return [
            prefix + "pod.name": pod.metadata.name ?? "", prefix + "pod.namespace": pod.metadata.namespace ?? "",
            prefix + "pod.uid": pod.metadata.uid ?? "",
            prefix + "serviceAccount.name": pod.spec.serviceAccountName ?? "default", prefix + "ephemeral": "true",
        ]
    }
}
