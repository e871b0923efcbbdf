/// Which fields one manager owns at one version of the object's schema; the record behind server-side apply.
public struct ManagedFieldsEntry: Codable, Hashable, Sendable {
    public var manager: String?
    /// `Apply` or `Update`.
    public var operation: String?
    public var apiVersion: String?
    public var time: Timestamp?
    /// Always `FieldsV1`.
    public var fieldsType: String?
    /// The field set as a trie of `f:name`, `k:{…}`, `v:…` and `.` keys.
    public var fieldsV1: JSONValue?
    public var subresource: String?

    public init(
        manager: String? = nil, operation: String? = nil, apiVersion: String? = nil, time: Timestamp? = nil,
        fieldsType: String? = nil, fieldsV1: JSONValue? = nil, subresource: String? = nil
    ) {
        self.manager = manager
        self.operation = operation
        self.apiVersion = apiVersion
        self.time = time
        self.fieldsType = fieldsType
        self.fieldsV1 = fieldsV1
        self.subresource = subresource
    }
}
