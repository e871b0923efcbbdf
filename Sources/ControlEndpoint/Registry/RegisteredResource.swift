internal import KubernetesAPI

/// One kind the endpoint serves, with its type erased: everything the generic machinery needs to know of it.
struct RegisteredResource: Sendable {
    let definition: ResourceDefinition
    let strategy: any ResourceStrategy
    let table: TableLayout
    /// Fields that field selectors may name besides metadata.name and metadata.namespace.
    let selectableFields: [SelectableField]
    /// Subresources with their own verbs, besides `status`.
    let subresources: [Subresource]
    /// Whether it is only read, and made anew at each request instead of being stored.
    let isComputed: Bool
    /// Whether it is a question: it can only be created, and the answer is not stored.
    let isReview: Bool
    /// Nil when it is kept as it is shown.
    let view: ResourceView?
    let schema: Schema
    /// How its parts have owners.
    let applyType: ApplyType
    /// The Swift type, for the OpenAPI documents.
    let type: any KubernetesResource.Type
    /// Decodes into the kind's own type, which drops unknown fields, and fills its defaults, validates and encodes it
    /// again.
    private let normalizer:
        @Sendable (_ value: JSONValue, _ old: JSONValue?, _ part: ObjectPart) throws -> (JSONValue, [FieldError])

    /// As discovery shows them.
    var verbs: [String] {
        if isReview { return ["create"] }
        return isComputed
            ? ["get", "list"] : ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    }

    var id: ResourceID { ResourceID(group: definition.group, plural: definition.plural) }

    /// The kind under which the store has its objects.
    var storageID: ResourceID { view?.storage ?? id }

    init<Resource: KubernetesResource>(
        _ type: Resource.Type, strategy: any ResourceStrategy = PlainStrategy(), table: TableLayout = .nameAndAge,
        selectableFields: [SelectableField] = [], subresources: [Subresource] = [], isComputed: Bool = false,
        isReview: Bool = false, view: ResourceView? = nil
    ) {
        self.view = view
        self.isComputed = isComputed
        self.isReview = isReview
        definition = Resource.definition
        self.strategy = strategy
        self.table = table
        self.selectableFields = selectableFields
        self.subresources = subresources
        schema = Schema(of: type)
        applyType = ApplyType(schema)
        self.type = type
        normalizer = { value, old, part in
            var object = try JSONValueDecoder().decode(Resource.self, from: value)
            if var defaultable = object as? any Defaultable {
                defaultable.applyDefaults()
                object = defaultable as? Resource ?? object
            }
            var problems = (object as? any Validatable)?.validate() ?? []
            if let old {
                let before = try JSONValueDecoder().decode(Resource.self, from: old)
                problems += Self.updateProblems(object, old: before, part)
            } else if let pod = object as? Pod {
                problems += pod.validateCreate()
            }
            return (try JSONValueEncoder().encode(object), problems)
        }
    }

    private static func updateProblems<Resource>(_ updated: Resource, old: Resource, _ part: ObjectPart) -> [FieldError]
    {
        if let pod = updated as? Pod, let old = old as? Pod, case let problems = pod.validateMirrorUpdate(old: old),
            !problems.isEmpty
        {
            return problems
        }
        switch part {
        case .status, .approval: return []
        case .ephemeralContainers:
            guard let pod = updated as? Pod, let old = old as? Pod else { return [] }
            return pod.validateEphemeralContainersUpdate(old: old)
        case .resources:
            guard let pod = updated as? Pod, let old = old as? Pod else { return [] }
            return pod.validateResizeUpdate(old: old)
        case .main:
            guard let updated = updated as? any UpdateValidatable else { return [] }
            return updateProblems(updated, old: old)
        }
    }

    private static func updateProblems<Updated: UpdateValidatable>(_ updated: Updated, old: Any) -> [FieldError] {
        (old as? Updated).map { updated.validateUpdate(old: $0) } ?? []
    }

    /// The object as it will be stored, and every rule it breaks. A value that does not fit the type is a bad request.
    /// - Parameters:
    ///   - old: what it replaces; nil for a new object.
    ///   - part: the part of the old object that is replaced, which decides how much of it may change.
    func normalize(
        _ value: JSONValue, replacing old: JSONValue? = nil, _ part: ObjectPart = .main
    ) throws(APIStatusError) -> (value: JSONValue, problems: [FieldError]) {
        do {
            return try normalizer(value, old, part)
        } catch {
            throw .badRequest(
                "\(definition.kind) in version \"\(definition.version)\" cannot be handled as a \(definition.kind): "
                    + "\(error)")
        }
    }

    func key(namespace: String?, name: String) -> ObjectKey {
        ObjectKey(resource: id, namespace: definition.namespaced ? namespace ?? "" : "", name: name)
    }
}

/// A subresource as discovery and OpenAPI show it.
struct Subresource: Hashable, Sendable {
    var name: String
    /// The kind of its body, such as `Binding`.
    var kind: String
    var group: String?
    var version: String?
    var verbs: [String]

    /// Passes requests of any kind on.
    static func proxy(_ kind: String) -> Subresource {
        Subresource(name: "proxy", kind: kind, verbs: ["create", "delete", "get", "patch", "update"])
    }
}

/// A field that field selectors may compare.
struct SelectableField: Hashable, Sendable {
    /// As the client writes it.
    var name: String
    var path: [String]
    /// What an absent field compares as.
    var absent: String

    init(_ name: String, path: [String]? = nil, absent: String = "") {
        self.name = name
        self.path = path ?? name.split(separator: ".").map(String.init)
        self.absent = absent
    }

    /// What the object has there. Its own names are in its key, the rest is looked up in its JSON.
    func value(of object: StoredObject) -> String {
        switch path {
        case ["metadata", "name"]: object.key.name
        case ["metadata", "namespace"]: object.key.namespace
        default: text(object.part(path))
        }
    }

    private func text(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text)?: text
        case .integer(let number)?: String(number)
        case .bool(let flag)?: flag ? "true" : "false"
        case nil, .null?, .double?, .array?, .object?: absent
        }
    }
}
