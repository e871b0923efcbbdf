import KubernetesAPI

/// Which keys of an object become which files; the same for ConfigMaps and Secrets, alone and in projected volumes.
struct KeyProjection {
    /// Permission bits of files in object volumes whose mode is not given.
    static let defaultMode: Int32 = 0o644

    let items: [KeyToPath]
    let defaultMode: Int32
    let isOptional: Bool

    init(items: [KeyToPath]?, defaultMode: Int32?, optional: Bool?) {
        self.items = items ?? []
        self.defaultMode = defaultMode ?? Self.defaultMode
        isOptional = optional ?? false
    }

    func files(configMap name: String, in objects: PodObjects) throws(VolumeError) -> [VolumeFile] {
        guard let configMap = try objects.configMap(name) else {
            if isOptional { return [] }
            throw VolumeError(.notFound, "configmap \"\(name)\" not found")
        }
        var content = (configMap.data ?? [:]).mapValues { Array($0.utf8) }
        for (key, text) in configMap.binaryData ?? [:] {
            content[key] = try Self.decode(text, key: key, of: "configmap", name)
        }
        return try files(content) { "configmap \"\(name)\" references non-existent config key: \($0)" }
    }

    func files(secret name: String, in objects: PodObjects) throws(VolumeError) -> [VolumeFile] {
        guard let secret = try objects.secret(name) else {
            if isOptional { return [] }
            throw VolumeError(.notFound, "secret \"\(name)\" not found")
        }
        var content: [String: [UInt8]] = [:]
        for (key, text) in secret.data ?? [:] {
            content[key] = try Self.decode(text, key: key, of: "secret", name)
        }
        return try files(content) { "secret \"\(name)\" references non-existent secret key: \($0)" }
    }

    private func files(
        _ content: [String: [UInt8]], missing: (String) -> String
    ) throws(VolumeError) -> [VolumeFile] {
        if items.isEmpty {
            return content.sorted { $0.key < $1.key }.map {
                VolumeFile(path: $0.key, bytes: $0.value, mode: Self.bits(defaultMode))
            }
        }
        var files: [VolumeFile] = []
        for item in items {
            guard let bytes = content[item.key] else {
                if isOptional { continue }
                throw VolumeError(.notFound, missing(item.key))
            }
            files.append(VolumeFile(path: item.path, bytes: bytes, mode: Self.bits(item.mode ?? defaultMode)))
        }
        return files
    }

    /// Only permissions: no bit of a pod's specification makes a file setuid.
    static func bits(_ mode: Int32) -> UInt32 { UInt32(bitPattern: mode) & 0o777 }

    private static func decode(
        _ text: String, key: String, of kind: String, _ name: String
    ) throws(VolumeError) -> [UInt8] {
        guard let bytes = Base64.decode(text) else {
            throw VolumeError(.invalid, "\(kind) \"\(name)\": the value of key \(key) is not Base64")
        }
        return bytes
    }
}
