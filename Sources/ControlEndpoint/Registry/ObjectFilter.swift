internal import KubernetesAPI

/// The label and field selectors of a list, a watch or a collection deletion.
struct ObjectFilter: Sendable {
    private let labels: Selector?
    private let fields: [(field: SelectableField, equal: Bool, value: String)]

    init(labelSelector: String, fieldSelector: String, resource: RegisteredResource) throws(APIStatusError) {
        do {
            labels = labelSelector.isEmpty ? nil : try Selector(parsing: labelSelector)
        } catch {
            throw .badRequest("unable to parse label selector \"\(labelSelector)\": \(error)")
        }
        let requirements: [(path: String, equal: Bool, value: String)]
        do {
            requirements =
                fieldSelector.isEmpty
                ? [] : try FieldSelector(parsing: fieldSelector).requirements.map { ($0.path, $0.equal, $0.value) }
        } catch {
            throw .badRequest("unable to parse field selector \"\(fieldSelector)\": \(error)")
        }
        let known =
            resource.selectableFields + [SelectableField("metadata.name"), SelectableField("metadata.namespace")]
        var fields: [(field: SelectableField, equal: Bool, value: String)] = []
        for requirement in requirements {
            guard let field = known.first(where: { $0.name == requirement.path }) else {
                throw .badRequest("field label not supported: \(requirement.path)")
            }
            fields.append((field, requirement.equal, requirement.value))
        }
        self.fields = fields
    }

    var matchesAll: Bool { labels == nil && fields.isEmpty }

    /// The one name the filter allows, when it names one: such a watch need not see other objects.
    var name: String? {
        fields.first { $0.field.name == "metadata.name" && $0.equal }?.value
    }

    func matches(_ object: StoredObject) -> Bool {
        if let labels, !labels.matches(object.labels) { return false }
        return fields.allSatisfy { ($0.field.value(of: object) == $0.value) == $0.equal }
    }
}
