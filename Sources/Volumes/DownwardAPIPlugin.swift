import KubernetesAPI

/// Facts about the pod as files.
struct DownwardAPIPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~downward-api"

    let source: DownwardAPIVolumeSource

    var isRefreshable: Bool { true }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        try ObjectVolume(context: context, medium: .memory).mount { () throws(VolumeError) in
            try Self.files(source.items, defaultMode: source.defaultMode, context)
        }
    }

    static func files(
        _ items: [DownwardAPIVolumeFile]?, defaultMode: Int32?, _ context: VolumeContext
    ) throws(VolumeError) -> [VolumeFile] {
        var files: [VolumeFile] = []
        for item in items ?? [] {
            let mode = item.mode ?? defaultMode ?? KeyProjection.defaultMode
            do throws(DownwardAPIError) {
                let text = try value(item, context)
                files.append(VolumeFile(path: item.path, bytes: Array(text.utf8), mode: KeyProjection.bits(mode)))
            } catch {
                throw VolumeError(.invalid, "file \(JSONValue.string(item.path)): \(error)")
            }
        }
        return files
    }

    private static func value(
        _ item: DownwardAPIVolumeFile, _ context: VolumeContext
    ) throws(DownwardAPIError) -> String {
        if let field = item.fieldRef { return try DownwardAPI.fieldValue(field, of: context.pod) }
        guard let resource = item.resourceFieldRef else {
            throw DownwardAPIError("one of fieldRef and resourceFieldRef is required")
        }
        return try DownwardAPI.resourceValue(resource, of: context.pod, nodeAllocatable: context.nodeAllocatable)
    }
}
