import KubernetesAPI
import LinuxKernel

/// The node's configuration file: a flat YAML mapping. An unknown field is an error, not a setting that does nothing.
struct ConfigurationFile {
    private static let fields: Set<String> = [
        "root", "run", "logDir", "listen", "nodePort", "nodeName", "podCIDR", "manifests", "cgroupRoot", "monitor",
        "nodeIP", "maxPods", "policy", "registries", "registryCredentials",
        "imageCredentialProviderConfig", "imageCredentialProviderBinDir", "staticPodURL", "staticPodURLHeader",
        "allowedUnsafeSysctls", "address", "authentication", "tlsCertFile", "tlsPrivateKeyFile",
        "serverTLSBootstrap", "audit",
        "systemReserved", "kubeReserved", "enforceNodeAllocatable", "podPidsLimit", "cpuCFSQuota", "failSwapOn",
        "ioWeights", "memorySwap", "memoryReservationPolicy", "memoryThrottlingFactor", "singleProcessOOMKill",
        "cpuManagerPolicy", "reservedSystemCPUs", "userNamespaces",
        "containerLogMaxSize", "containerLogMaxFiles", "evictionHard", "evictionSoft", "evictionSoftGracePeriod",
        "evictionMinimumReclaim", "evictionPressureTransitionPeriod", "evictionMaxPodGracePeriod",
        "mergeDefaultEvictionSettings",
        "imageMinimumGCAge", "imageMaximumGCAge", "imageGCHighThresholdPercent", "imageGCLowThresholdPercent",
    ]

    private let path: String
    private var values: [String: JSONValue] = [:]

    init(path: String?) throws {
        self.path = path ?? ""
        guard let path else { return }
        let text: String
        do throws(KernelError) { text = try FileSystem.readText(path) } catch {
            throw SettingError("--config \(path): cannot be read: \(error.errno)")
        }
        let documents = try YAMLDocuments.parse(text, file: path)
        guard documents.count <= 1 else { throw SettingError("--config \(path): more than one document") }
        guard let value = documents.first?.value, value != .null else { return }
        guard let object = value.objectValue else { throw SettingError("--config \(path): not a mapping of settings") }
        for key in object.keys.sorted() where !Self.fields.contains(key) {
            throw SettingError(
                "--config \(path): unknown field \"\(key)\"; known: \(Self.fields.sorted().joined(separator: ", "))")
        }
        values = object
    }

    func text(_ field: String) throws -> String? {
        guard let value = values[field] else { return nil }
        guard let text = value.stringValue else { throw SettingError("--config \(path): \(field): must be a string") }
        return text
    }

    /// A text in mappings: `outer: {inner: {field: text}}`. Another field beside any of them is an error.
    func text(_ field: String, in groups: String...) throws -> String? {
        var (object, name) = (values, "")
        for (index, key) in (groups + [field]).enumerated() {
            if index > 0, let other = object.keys.sorted().first(where: { $0 != key }) {
                throw SettingError("--config \(path): \(name): unknown field \"\(other)\"; known: \(key)")
            }
            name += (name.isEmpty ? "" : ".") + key
            guard let value = object[key] else { return nil }
            if index == groups.count {
                guard let text = value.stringValue else {
                    throw SettingError("--config \(path): \(name): must be a string")
                }
                return text
            }
            guard let inner = value.objectValue else {
                throw SettingError("--config \(path): \(name): must be a mapping")
            }
            object = inner
        }
        return nil
    }

    /// A mapping from names to lists of texts.
    func lists(_ field: String) throws -> [(name: String, values: [String])]? {
        guard let value = values[field] else { return nil }
        let problem = SettingError("--config \(path): \(field): must be a mapping from names to lists of strings")
        guard let object = value.objectValue else { throw problem }
        return try object.sorted { $0.key < $1.key }.map { name, list in
            guard let items = list.arrayValue?.map(\.stringValue), !items.contains(nil) else { throw problem }
            return (name, items.compactMap(\.self))
        }
    }

    /// A mapping from names to texts or numbers.
    func texts(_ field: String) throws -> [String: String]? {
        guard let value = values[field] else { return nil }
        let problem = SettingError("--config \(path): \(field): must be a mapping from names to strings or numbers")
        guard let object = value.objectValue else { throw problem }
        return try object.mapValues { member in
            if let text = member.stringValue { return text }
            guard let number = member.intValue else { throw problem }
            return String(number)
        }
    }

    func list(_ field: String) throws -> [String]? {
        guard let value = values[field] else { return nil }
        guard let items = value.arrayValue?.map(\.stringValue), !items.contains(nil) else {
            throw SettingError("--config \(path): \(field): must be a list of strings")
        }
        return items.compactMap(\.self)
    }

    func flag(_ field: String) throws -> Bool? {
        guard let value = values[field] else { return nil }
        guard let flag = value.boolValue else {
            throw SettingError("--config \(path): \(field): must be true or false")
        }
        return flag
    }

    func number(_ field: String) throws -> Double? {
        guard let value = values[field] else { return nil }
        if case .double(let number) = value { return number }
        return try integer(field).map(Double.init)
    }

    /// A whole number in a mapping: `group: {field: 1}`. Another field in it is an error.
    func integer(_ field: String, in group: String) throws -> Int? {
        guard let value = values[group] else { return nil }
        guard let object = value.objectValue else {
            throw SettingError("--config \(path): \(group): must be a mapping with \(field)")
        }
        for key in object.keys.sorted() where key != field {
            throw SettingError("--config \(path): \(group): unknown field \"\(key)\"; known: \(field)")
        }
        guard let number = object[field] else { return nil }
        guard let whole = number.intValue else {
            throw SettingError("--config \(path): \(group).\(field): must be a whole number")
        }
        return Int(whole)
    }

    func integer(_ field: String) throws -> Int? {
        guard let value = values[field] else { return nil }
        guard let number = value.intValue else {
            throw SettingError("--config \(path): \(field): must be a whole number")
        }
        return Int(number)
    }
}
