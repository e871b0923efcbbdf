/// What the API calls a kind of object and where it keeps it.
public struct ResourceDefinition: Hashable, Sendable {
    /// The API group; empty for the core group.
    public var group: String
    public var version: String
    public var kind: String
    /// The resource name in paths: `pods`.
    public var plural: String
    public var singular: String
    public var shortNames: [String]
    public var namespaced: Bool
    /// Names of sets it belongs to, such as `all`.
    public var categories: [String]

    /// - Parameters:
    ///   - singular: the lowercased kind when not given.
    public init(
        group: String = "", version: String, kind: String, plural: String, singular: String? = nil,
        shortNames: [String] = [], namespaced: Bool, categories: [String] = []
    ) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.singular = singular ?? kind.lowercased()
        self.shortNames = shortNames
        self.namespaced = namespaced
        self.categories = categories
    }

    /// `v1` or `apps/v1`, as in an object's `apiVersion`.
    public var apiVersion: String {
        group.isEmpty ? version : "\(group)/\(version)"
    }

    /// The root of the group and version: `/api/v1` or `/apis/apps/v1`.
    public var groupVersionPath: String {
        group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
    }

    /// The URL path of a collection or of one object.
    ///
    /// - Parameters:
    ///   - namespace: left out of the path for cluster-scoped kinds; nil means all namespaces.
    ///   - name: nil for the collection.
    ///   - subresource: such as `status`; only with a name.
    public func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = groupVersionPath
        if namespaced, let namespace { path += "/namespaces/\(Self.escape(namespace))" }
        path += "/\(plural)"
        if let name {
            path += "/\(Self.escape(name))"
            if let subresource { path += "/\(subresource)" }
        }
        return path
    }

    /// Percent-encodes everything outside RFC 3986's unreserved characters and the colon of RBAC names, so that a name
    /// from outside cannot change which path is asked for.
    private static func escape(_ segment: String) -> String {
        if segment == "." { return "%2E" }
        if segment == ".." { return "%2E%2E" }
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in segment.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: ":"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
