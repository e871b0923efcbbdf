import KubernetesAPI

/// Several sources in one directory, in memory: any of them may be a Secret.
struct ProjectedPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~projected"

    let source: ProjectedVolumeSource

    func objectNames(for pod: Pod) -> PodObjectNames {
        PodObjectNames(
            configMaps: Set(source.sources.compactMap(\.configMap?.name)),
            secrets: Set(source.sources.compactMap(\.secret?.name)),
            tokens: Set(
                source.sources.compactMap { $0.serviceAccountToken.map { ServiceAccountTokenKey(pod, $0) } }))
    }
    var isRefreshable: Bool { true }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        try ObjectVolume(context: context, medium: .memory).mount { () throws(VolumeError) in
            // A later source wins where two make the same file.
            var files: [String: VolumeFile] = [:]
            for (index, projection) in source.sources.enumerated() {
                for file in try self.files(projection, index, context) { files[file.path] = file }
            }
            return files.values.sorted { $0.path < $1.path }
        }
    }

    private func files(
        _ projection: VolumeProjection, _ index: Int, _ context: VolumeContext
    ) throws(VolumeError) -> [VolumeFile] {
        if let secret = projection.secret {
            return try KeyProjection(
                items: secret.items, defaultMode: source.defaultMode, optional: secret.optional
            ).files(secret: secret.name, in: context.objects)
        }
        if let configMap = projection.configMap {
            return try KeyProjection(
                items: configMap.items, defaultMode: source.defaultMode, optional: configMap.optional
            ).files(configMap: configMap.name, in: context.objects)
        }
        if let downwardAPI = projection.downwardAPI {
            return try DownwardAPIPlugin.files(downwardAPI.items, defaultMode: source.defaultMode, context)
        }
        let path = "\(context.fieldPath).projected.sources[\(index)]"
        if let token = projection.serviceAccountToken { return [try file(token, path, context)] }
        throw VolumeError(
            .unsupported,
            "\(path) is not supported by this node: use secret, configMap, downwardAPI or serviceAccountToken")
    }
    /// A token is for the pod's own user alone: where the pod says who that is, nobody else may read it.
    private func file(
        _ token: ServiceAccountTokenProjection, _ path: String, _ context: VolumeContext
    ) throws(VolumeError) -> VolumeFile {
        let text = try context.objects.token(ServiceAccountTokenKey(context.pod, token))
        let user = try context.soleUser()
        let isPrivate = user != nil || context.pod.spec.securityContext?.fsGroup != nil
        return VolumeFile(
            path: token.path, bytes: Array(text.utf8),
            mode: isPrivate ? 0o600 : KeyProjection.bits(source.defaultMode ?? KeyProjection.defaultMode),
            userID: user)
    }
}
