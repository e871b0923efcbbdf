import KubernetesAPI
import Volumes

/// Puts the variables of one container together, in the order of rising precedence.
struct EnvironmentBuilder {
    private let pod: Pod
    private let container: Container
    private let inputs: EnvironmentInputs
    /// What the pod defines, and in which order for the first time.
    private var values: [String: String] = [:]
    private var order: [String] = []
    private var services: [String: String] = [:]
    private var skippedKeys: [String] = []
    private var bytes = 0

    init(pod: Pod, container: Container, inputs: EnvironmentInputs) {
        self.pod = pod
        self.container = container
        self.inputs = inputs
    }

    private var namespace: String { pod.metadata.namespace ?? "" }

    mutating func addServices() {
        services = ServiceEnvironment.variables(
            services: inputs.services, namespace: namespace,
            enableServiceLinks: pod.spec.enableServiceLinks ?? true)
    }

    mutating func add(_ source: EnvFromSource) throws(EnvironmentError) {
        if let reference = source.configMapRef {
            guard let configMap = try configMap(reference.name, optional: reference.optional) else { return }
            for (key, value) in (configMap.data ?? [:]).sorted(by: { $0.key < $1.key }) {
                try add(key: key, value: value, prefix: source.prefix, of: reference.name)
            }
        }
        if let reference = source.secretRef {
            guard let secret = try secret(reference.name, optional: reference.optional) else { return }
            for (key, value) in (secret.data ?? [:]).sorted(by: { $0.key < $1.key }) {
                try add(
                    key: key, value: try text(value, key: key, secret: reference.name), prefix: source.prefix,
                    of: reference.name)
            }
        }
    }

    /// `$(VAR)` means what is defined so far.
    private func expand(_ value: String, of name: String) throws(EnvironmentError) -> String {
        do throws(VariableExpansionError) {
            return try VariableExpansion.expand(value) { values[$0] ?? services[$0] }
        } catch {
            throw EnvironmentError(.invalid, "env \(JSONValue.string(name)): \(error)")
        }
    }

    mutating func add(_ variable: EnvVar) throws(EnvironmentError) {
        if let value = variable.value, !value.isEmpty {
            try define(variable.name, try expand(value, of: variable.name))
        } else if let source = variable.valueFrom {
            guard let value = try value(of: source, variable.name) else { return }
            try define(variable.name, value)
        } else {
            try define(variable.name, "")
        }
    }

    func finish() -> ContainerEnvironment {
        let variables = services.merging(values) { _, own in own }
        var entries: [(key: String, value: String)] = [("PATH", ContainerEnvironment.defaultPath)]
        if let home = inputs.home { entries.append(("HOME", home)) }
        for entry in inputs.imageEnvironment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { continue }
            entries.append((String(parts[0]), String(parts[1])))
        }
        if container.tty == true { entries.append(("TERM", "xterm")) }
        entries.append(("HOSTNAME", inputs.hostname))
        entries += services.filter { values[$0.key] == nil }.sorted { $0.key < $1.key }
        entries += order.map { ($0, values[$0] ?? "") }
        // Each key at its first place with its last value.
        var places: [String: Int] = [:]
        var unique: [(key: String, value: String)] = []
        for entry in entries {
            if let place = places[entry.key] {
                unique[place] = entry
            } else {
                places[entry.key] = unique.count
                unique.append(entry)
            }
        }
        return ContainerEnvironment(
            entries: unique.map { "\($0.key)=\($0.value)" }, variables: variables, skippedKeys: skippedKeys)
    }
}

extension EnvironmentBuilder {
    private mutating func add(
        key: String, value: String, prefix: String?, of object: String
    ) throws(EnvironmentError) {
        let name = (prefix ?? "") + key
        guard Self.isVariableName(name) else {
            skippedKeys.append("\(object)/\(key)")
            return
        }
        try define(name, value)
    }

    /// Any printable ASCII but `=`, as Kubernetes allows since 1.34.
    private static func isVariableName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
    }

    private mutating func define(_ name: String, _ value: String) throws(EnvironmentError) {
        guard !name.isEmpty, !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") }) else {
            throw EnvironmentError(.invalid, "env name \(JSONValue.string(name)) must not be empty or contain '='")
        }
        // The kernel would silently end the value there.
        guard !value.utf8.contains(0) else {
            throw EnvironmentError(.invalid, "env \(JSONValue.string(name)): the value contains a NUL character")
        }
        bytes += name.utf8.count + value.utf8.count + 2
        guard bytes <= ContainerEnvironment.maximumBytes else {
            throw EnvironmentError(
                .invalid, "the environment has more than \(ContainerEnvironment.maximumBytes) bytes: shorten it")
        }
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }

    /// Nil when the variable is to be left out.
    private func value(of source: EnvVarSource, _ name: String) throws(EnvironmentError) -> String? {
        do throws(DownwardAPIError) {
            if let field = source.fieldRef {
                return try DownwardAPI.fieldValue(field, of: pod, placement: inputs.placement)
            }
            if let resource = source.resourceFieldRef { return try value(of: resource) }
        } catch {
            throw EnvironmentError(.invalid, "env \(JSONValue.string(name)): \(error)")
        }
        if let reference = source.configMapKeyRef { return try value(of: reference) }
        if let reference = source.secretKeyRef { return try value(of: reference) }
        if source.fileKeyRef != nil {
            throw EnvironmentError(
                .unsupported,
                "env \(JSONValue.string(name)): fileKeyRef is not supported by this node: use a configMapKeyRef or "
                    + "secretKeyRef")
        }
        return ""
    }

    private func value(of selector: ResourceFieldSelector) throws(DownwardAPIError) -> String {
        if selector.containerName ?? "" != "" {
            return try DownwardAPI.resourceValue(selector, of: pod, nodeAllocatable: inputs.nodeAllocatable)
        }
        return try DownwardAPI.resourceValue(selector, of: container, nodeAllocatable: inputs.nodeAllocatable)
    }

    private func value(of selector: ConfigMapKeySelector) throws(EnvironmentError) -> String? {
        guard let configMap = try configMap(selector.name, optional: selector.optional) else { return nil }
        if let value = configMap.data?[selector.key] { return value }
        if selector.optional == true { return nil }
        throw EnvironmentError(
            .notFound, "couldn't find key \(selector.key) in ConfigMap \(namespace)/\(selector.name)")
    }

    private func value(of selector: SecretKeySelector) throws(EnvironmentError) -> String? {
        guard let secret = try secret(selector.name, optional: selector.optional) else { return nil }
        if let value = secret.data?[selector.key] {
            return try text(value, key: selector.key, secret: selector.name)
        }
        if selector.optional == true { return nil }
        throw EnvironmentError(
            .notFound, "couldn't find key \(selector.key) in Secret \(namespace)/\(selector.name)")
    }

    private func configMap(_ name: String, optional: Bool?) throws(EnvironmentError) -> ConfigMap? {
        do throws(VolumeError) {
            if let configMap = try inputs.objects.configMap(name) { return configMap }
        } catch {
            throw EnvironmentError(.sourceUnavailable, error.message)
        }
        if optional == true { return nil }
        throw EnvironmentError(.notFound, "configmap \"\(name)\" not found")
    }

    private func secret(_ name: String, optional: Bool?) throws(EnvironmentError) -> Secret? {
        do throws(VolumeError) {
            if let secret = try inputs.objects.secret(name) { return secret }
        } catch {
            throw EnvironmentError(.sourceUnavailable, error.message)
        }
        if optional == true { return nil }
        throw EnvironmentError(.notFound, "secret \"\(name)\" not found")
    }

    private func text(_ base64: String, key: String, secret: String) throws(EnvironmentError) -> String {
        guard let bytes = Base64.decode(base64), let text = String(validating: bytes, as: UTF8.self) else {
            throw EnvironmentError(
                .invalid,
                "the value of key \(key) in Secret \(namespace)/\(secret) is not UTF-8 text: mount it as a file instead"
            )
        }
        return text
    }
}
