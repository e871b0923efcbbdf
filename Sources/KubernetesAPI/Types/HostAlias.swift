/// One line of `/etc/hosts`.
public struct HostAlias: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "ip" }

    @ZeroIfAbsent public var ip: String
    public var hostnames: [String]?

    public init(ip: String = "", hostnames: [String]? = nil) {
        self.ip = ip
        self.hostnames = hostnames
    }
}
