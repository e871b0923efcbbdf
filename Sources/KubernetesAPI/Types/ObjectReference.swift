/// Points at an object, or at a field of one, from anywhere in the cluster.
public struct ObjectReference: Codable, Hashable, Sendable, PatchMergeKeyed, ZeroValued {
    public static var patchMergeKey: String { "name" }
    public static var zeroValue: Self { Self() }

    public var kind: String?
    public var namespace: String?
    public var name: String?
    public var uid: String?
    public var apiVersion: String?
    public var resourceVersion: String?
    /// For example `spec.containers{web}` in events about one container.
    public var fieldPath: String?

    public init(
        kind: String? = nil, namespace: String? = nil, name: String? = nil, uid: String? = nil,
        apiVersion: String? = nil, resourceVersion: String? = nil, fieldPath: String? = nil
    ) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.apiVersion = apiVersion
        self.resourceVersion = resourceVersion
        self.fieldPath = fieldPath
    }
}

/// Points at an object in the same namespace.
public struct LocalObjectReference: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String

    public init(name: String = "") {
        self.name = name
    }
}

/// Points at an object of a named kind in the same namespace.
public struct TypedLocalObjectReference: Codable, Hashable, Sendable {
    public var apiGroup: String?
    @ZeroIfAbsent public var kind: String
    @ZeroIfAbsent public var name: String

    public init(apiGroup: String? = nil, kind: String = "", name: String = "") {
        self.apiGroup = apiGroup
        self.kind = kind
        self.name = name
    }
}

/// Points at an object of a named kind, possibly in another namespace.
public struct TypedObjectReference: Codable, Hashable, Sendable {
    public var apiGroup: String?
    @ZeroIfAbsent public var kind: String
    @ZeroIfAbsent public var name: String
    public var namespace: String?

    public init(apiGroup: String? = nil, kind: String = "", name: String = "", namespace: String? = nil) {
        self.apiGroup = apiGroup
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }
}
