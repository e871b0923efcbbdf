/// An element type of lists whose elements server-side apply tells apart by more than the merge key of patches.
public protocol AppliedByKeys {
    static var applyKeys: [ApplyKey] { get }
}

/// A field that tells the elements of a list apart.
public struct ApplyKey: Hashable, Sendable {
    public let name: String
    /// What an absent field counts as; nil: the field is required.
    public let absent: JSONValue?

    public init(_ name: String, absent: JSONValue? = nil) {
        self.name = name
        self.absent = absent
    }
}

/// A type whose value has one owner as a whole: a selector of which each manager owned a part would select by none's will.
public protocol AppliedAsOne {}

/// A type with maps that have one owner as a whole.
public protocol AppliedAsOneFields {
    /// The JSON names of those fields.
    static var fieldsAppliedAsOne: Set<String> { get }
}

extension ContainerPort: AppliedByKeys {
    public static var applyKeys: [ApplyKey] { [ApplyKey("containerPort"), ApplyKey("protocol", absent: "TCP")] }
}

extension ServicePort: AppliedByKeys {
    public static var applyKeys: [ApplyKey] { [ApplyKey("port"), ApplyKey("protocol", absent: "TCP")] }
}

extension TopologySpreadConstraint: AppliedByKeys {
    public static var applyKeys: [ApplyKey] { [ApplyKey("topologyKey"), ApplyKey("whenUnsatisfiable")] }
}

extension LabelSelector: AppliedAsOne {}
extension NodeSelector: AppliedAsOne {}
extension NodeSelectorTerm: AppliedAsOne {}
extension ObjectFieldSelector: AppliedAsOne {}
extension ResourceFieldSelector: AppliedAsOne {}
extension ConfigMapKeySelector: AppliedAsOne {}
extension SecretKeySelector: AppliedAsOne {}
extension TypedLocalObjectReference: AppliedAsOne {}
extension RoleReference: AppliedAsOne {}

extension PodSpec: AppliedAsOneFields {
    public static var fieldsAppliedAsOne: Set<String> { ["nodeSelector", "overhead"] }
}

extension ServiceSpec: AppliedAsOneFields {
    public static var fieldsAppliedAsOne: Set<String> { ["selector"] }
}
