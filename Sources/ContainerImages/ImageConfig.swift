/// How an image wants its containers started. Content nobody vetted: plain data that policy and the pod's spec
/// override.
public struct ImageConfig: Hashable, Sendable {
    /// `uid`, `uid:gid`, `user` or `user:group`; empty for root. See ``ImageUser``.
    public var user: String
    /// `KEY=VALUE`, each with a non-empty key and without NUL.
    public var env: [String]
    public var entrypoint: [String]
    public var command: [String]
    /// Absolute, or empty for `/`.
    public var workingDirectory: String
    public var labels: [String: String]
    /// Such as `80/tcp`, sorted.
    public var exposedPorts: [String]
    /// Absolute paths without `..`, sorted.
    public var volumes: [String]
    /// Name or number of a signal; `nil` for SIGTERM.
    public var stopSignal: String?

    public init(
        user: String = "", env: [String] = [], entrypoint: [String] = [], command: [String] = [],
        workingDirectory: String = "", labels: [String: String] = [:], exposedPorts: [String] = [],
        volumes: [String] = [], stopSignal: String? = nil
    ) {
        self.user = user
        self.env = env
        self.entrypoint = entrypoint
        self.command = command
        self.workingDirectory = workingDirectory
        self.labels = labels
        self.exposedPorts = exposedPorts
        self.volumes = volumes
        self.stopSignal = stopSignal
    }
}
