import KubernetesAPI
import LinuxKernel

extension VolumeManager {
    /// Has storage drivers and other machines provide what they are to provide, and makes sure that a look into it does not hang.
    ///
    /// - Returns: by volume where it is, or why not.
    func attach(
        _ planned: [PlannedVolume], isRefresh: Bool, context: (PlannedVolume) -> VolumeContext
    ) async -> [String: Result<AttachedVolume, VolumeError>] {
        var attached: [String: Result<AttachedVolume, VolumeError>] = [:]
        for volume in planned {
            do throws(VolumeError) {
                let context = context(volume)
                if let attachment = try volume.plugin.attachment(context) {
                    let made = try await make(attachment, context, isRefresh: isRefresh)
                    try await requireAnswer(made.path)
                    attached[volume.name] = .success(made)
                } else if let path = try volume.plugin.foreignPath(context) {
                    try await requireAnswer(path)
                }
            } catch { attached[volume.name] = .failure(error) }
        }
        return attached
    }

    private func make(
        _ attachment: VolumeAttachment, _ context: VolumeContext, isRefresh: Bool
    ) async throws(VolumeError) -> AttachedVolume {
        switch attachment {
        case .network(let export):
            try await export.mount(at: context.directory, pool: pool)
            return AttachedVolume(path: context.directory)
        case .driver(let volume):
            guard let drivers else {
                throw VolumeError(.unsupported, "\(context.fieldPath): storage drivers are not served here")
            }
            let rules = DriverRules(volume.driver, try await objects.storageDriver(named: volume.driver))
            try rules.check(volume)
            var publication = StorageDrivers.Publication(
                volume: volume, rules: rules, directory: context.directory, readOnly: context.isReadOnlyClaim)
            if rules.isAttached, !volume.isEphemeral {
                let (name, attachment) = try await objects.attachment(of: volume)
                publication.attachmentContext = try rules.publishContext(
                    of: volume, attachment: attachment, name: name, isAwaited: objects.awaitsAttachments)
            }
            publication.group = try context.groupID()
            publication.stageSecrets = try await secret(volume.stageSecret)
            publication.publishSecrets = try await secret(volume.publishSecret)
            if rules.tellsPod {
                publication.podFacts = DriverRules.podFacts(context.pod, isEphemeral: volume.isEphemeral)
            }
            if let tokens = try await tokens(rules, of: context.pod) {
                if rules.hidesTokens {
                    publication.publishSecrets[DriverRules.tokensKey] = tokens
                } else {
                    publication.podFacts[DriverRules.tokensKey] = tokens
                }
            }
            publication.isRefresh = isRefresh
            let made = try await drivers.publish(publication)
            try await expand(publication)
            return made
        }
    }

    /// The volume is as large as its claim may have it before a pod sees it; one that may only be read stays as it is.
    private func expand(_ publication: StorageDrivers.Publication) async throws(VolumeError) {
        let volume = publication.volume
        guard let drivers, let growth = volume.growth, !publication.readOnly, !volume.readOnly else { return }
        let secrets = try await secret(volume.expandSecret)
        if try await drivers.expand(publication, to: growth.size.value, secrets: secrets) {
            try await objects.expanded(growth)
        }
    }

    /// Nil for a driver that wants none.
    private func tokens(_ rules: DriverRules, of pod: Pod) async throws(VolumeError) -> String? {
        if rules.tokenRequests.isEmpty { return nil }
        var tokens: [String: (token: String, expiresAt: Timestamp)] = [:]
        for request in rules.tokenRequests {
            let projection = ServiceAccountTokenProjection(
                audience: request.audience, expirationSeconds: request.expirationSeconds)
            tokens[request.audience] = try await objects.expiringToken(ServiceAccountTokenKey(pod, projection))
        }
        return DriverRules.tokensText(tokens)
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
}
