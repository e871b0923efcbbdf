/// The body of a DELETE request.
public struct DeleteOptions: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "v1" }
    public static var expectedKind: String { "DeleteOptions" }

    @APIVersionOf<DeleteOptions> public var apiVersion: String
    @KindOf<DeleteOptions> public var kind: String
    /// Seconds before the object goes; 0 means at once, absent means the kind's default.
    public var gracePeriodSeconds: Int64?
    public var preconditions: Preconditions?
    /// Superseded by `propagationPolicy`.
    public var orphanDependents: Bool?
    /// `Orphan`, `Background` or `Foreground`.
    public var propagationPolicy: String?
    /// `All` or nothing.
    public var dryRun: [String]?
    public var ignoreStoreReadErrorWithClusterBreakingPotential: Bool?

    public init(
        gracePeriodSeconds: Int64? = nil, preconditions: Preconditions? = nil, orphanDependents: Bool? = nil,
        propagationPolicy: String? = nil, dryRun: [String]? = nil,
        ignoreStoreReadErrorWithClusterBreakingPotential: Bool? = nil
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.preconditions = preconditions
        self.orphanDependents = orphanDependents
        self.propagationPolicy = propagationPolicy
        self.dryRun = dryRun
        self.ignoreStoreReadErrorWithClusterBreakingPotential = ignoreStoreReadErrorWithClusterBreakingPotential
    }
}

/// What must still be true of the stored object for the deletion to happen.
public struct Preconditions: Codable, Hashable, Sendable {
    public var uid: String?
    public var resourceVersion: String?

    public init(uid: String? = nil, resourceVersion: String? = nil) {
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}
