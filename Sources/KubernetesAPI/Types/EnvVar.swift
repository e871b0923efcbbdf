/// One environment variable. Its description never shows the value.
public struct EnvVar: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String
    /// `$(VAR)` refers to variables defined earlier.
    public var value: String?
    /// Only when `value` is empty.
    @IndirectIfPresent public var valueFrom: EnvVarSource?

    public init(name: String = "", value: String? = nil, valueFrom: EnvVarSource? = nil) {
        self.name = name
        self.value = value
        self.valueFrom = valueFrom
    }
}

/// Where the value of an ``EnvVar`` comes from; exactly one is set.
public struct EnvVarSource: Codable, Hashable, Sendable {
    public var fieldRef: ObjectFieldSelector?
    public var resourceFieldRef: ResourceFieldSelector?
    public var configMapKeyRef: ConfigMapKeySelector?
    public var secretKeyRef: SecretKeySelector?
    public var fileKeyRef: FileKeySelector?

    public init(
        fieldRef: ObjectFieldSelector? = nil, resourceFieldRef: ResourceFieldSelector? = nil,
        configMapKeyRef: ConfigMapKeySelector? = nil, secretKeyRef: SecretKeySelector? = nil,
        fileKeyRef: FileKeySelector? = nil
    ) {
        self.fieldRef = fieldRef
        self.resourceFieldRef = resourceFieldRef
        self.configMapKeyRef = configMapKeyRef
        self.secretKeyRef = secretKeyRef
        self.fileKeyRef = fileKeyRef
    }
}

/// A field of the pod itself, such as `metadata.name`.
public struct ObjectFieldSelector: Codable, Hashable, Sendable {
    /// Absent means `v1`.
    public var apiVersion: String?
    @ZeroIfAbsent public var fieldPath: String

    public init(apiVersion: String? = nil, fieldPath: String = "") {
        self.apiVersion = apiVersion
        self.fieldPath = fieldPath
    }
}

/// A limit or request of a container of the pod, such as `limits.cpu`.
public struct ResourceFieldSelector: Codable, Hashable, Sendable {
    /// Required in volumes.
    public var containerName: String?
    @ZeroIfAbsent public var resource: String
    /// The unit of the result; absent means 1.
    public var divisor: Quantity?

    public init(containerName: String? = nil, resource: String = "", divisor: Quantity? = nil) {
        self.containerName = containerName
        self.resource = resource
        self.divisor = divisor
    }
}

/// One key of a ConfigMap.
public struct ConfigMapKeySelector: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var key: String
    public var optional: Bool?

    public init(name: String = "", key: String = "", optional: Bool? = nil) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

/// One key of a Secret.
public struct SecretKeySelector: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var key: String
    public var optional: Bool?

    public init(name: String = "", key: String = "", optional: Bool? = nil) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

/// One variable of a file an init container wrote.
public struct FileKeySelector: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var volumeName: String
    @ZeroIfAbsent public var path: String
    @ZeroIfAbsent public var key: String
    public var optional: Bool?

    public init(volumeName: String = "", path: String = "", key: String = "", optional: Bool? = nil) {
        self.volumeName = volumeName
        self.path = path
        self.key = key
        self.optional = optional
    }
}

/// All keys of a ConfigMap or Secret as environment variables.
public struct EnvFromSource: Codable, Hashable, Sendable {
    public var prefix: String?
    public var configMapRef: ConfigMapEnvSource?
    public var secretRef: SecretEnvSource?

    public init(prefix: String? = nil, configMapRef: ConfigMapEnvSource? = nil, secretRef: SecretEnvSource? = nil) {
        self.prefix = prefix
        self.configMapRef = configMapRef
        self.secretRef = secretRef
    }
}

/// A ConfigMap whose keys become variables.
public struct ConfigMapEnvSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var optional: Bool?

    public init(name: String = "", optional: Bool? = nil) {
        self.name = name
        self.optional = optional
    }
}

/// A Secret whose keys become variables.
public struct SecretEnvSource: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var optional: Bool?

    public init(name: String = "", optional: Bool? = nil) {
        self.name = name
        self.optional = optional
    }
}
