internal import KubernetesAPI

/// What somebody wants to do.
struct AccessRequest: Hashable, Sendable {
    enum Target: Hashable, Sendable {
        case resource(
            group: String, resource: String, subresource: String, namespace: String, name: String)
        case path(String)
    }

    var verb: String
    var target: Target
    /// The one node whose pods are asked for; empty for any.
    var podNode = ""

    init(verb: String, target: Target) {
        self.verb = verb
        self.target = target
    }

    /// - Parameter fieldSelector: of a list, a watch or a collection's deletion: one that asks for a single name is about that.
    init(_ info: RequestInfo, fieldSelector: String = "") {
        verb = info.verb.rawValue
        // A namespace itself is asked for by its name; rules inside it apply.
        let isNamespace = info.resource == "namespaces" && info.group.isEmpty
        target = .resource(
            group: info.group, resource: info.resource, subresource: info.subresource ?? "",
            namespace: info.namespace ?? (isNamespace ? info.name ?? "" : ""),
            name: info.name ?? Self.value(of: "metadata.name", in: fieldSelector))
        podNode = Self.value(of: "spec.nodeName", in: fieldSelector)
    }

    /// What a field has to be; empty when the selector does not say. All requirements hold at once, so that nothing else can be
    /// among what is found.
    private static func value(of field: String, in fieldSelector: String) -> String {
        guard !fieldSelector.isEmpty, let selector = try? FieldSelector(parsing: fieldSelector) else { return "" }
        return selector.requirements.first { $0.path == field && $0.equal }?.value ?? ""
    }

    init(_ attributes: ResourceAttributes) {
        verb = attributes.verb ?? ""
        target = .resource(
            group: attributes.group ?? "", resource: attributes.resource ?? "",
            subresource: attributes.subresource ?? "", namespace: attributes.namespace ?? "",
            name: attributes.name ?? "")
    }

    init(_ attributes: NonResourceAttributes) {
        verb = attributes.verb ?? ""
        target = .path(attributes.path ?? "")
    }

    /// Empty for paths and outside of namespaces.
    var namespace: String {
        switch target {
        case .resource(_, _, _, let namespace, _): namespace
        case .path: ""
        }
    }
}

extension PolicyRule {
    /// Whether this rule allows the request, wherever it is bound.
    func allows(_ request: AccessRequest) -> Bool {
        guard verbs.contains(where: { $0 == "*" || $0 == request.verb }) else { return false }
        switch request.target {
        case .path(let path):
            return (nonResourceURLs ?? []).contains { Self.matches(path: path, pattern: $0) }
        case .resource(let group, let resource, let subresource, _, let name):
            guard (apiGroups ?? []).contains(where: { $0 == "*" || $0 == group }) else { return false }
            let combined = subresource.isEmpty ? resource : "\(resource)/\(subresource)"
            let isListed = (resources ?? []).contains { allowed in
                allowed == "*" || allowed == combined || (!subresource.isEmpty && allowed == "*/\(subresource)")
            }
            guard isListed else { return false }
            let names = resourceNames ?? []
            return names.isEmpty || (!name.isEmpty && names.contains(name))
        }
    }

    static func matches(path: String, pattern: String) -> Bool {
        if pattern == "*" || pattern == path { return true }
        return pattern.hasSuffix("*") && path.hasPrefix(pattern.dropLast())
    }

    /// The rule as rules of one verb on one thing each, for comparing what one may do with what another may.
    var parts: [PolicyRule] {
        verbs.flatMap { verb -> [PolicyRule] in
            let paths = (nonResourceURLs ?? []).map { PolicyRule(verbs: [verb], nonResourceURLs: [$0]) }
            let kinds = (apiGroups ?? []).flatMap { group in
                (resources ?? []).flatMap { resource -> [PolicyRule] in
                    let names = resourceNames ?? []
                    if names.isEmpty { return [PolicyRule(verbs: [verb], apiGroups: [group], resources: [resource])] }
                    return names.map {
                        PolicyRule(verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: [$0])
                    }
                }
            }
            return paths + kinds
        }
    }

    /// Whether everything a part allows, this rule allows too. A star is covered by a star only.
    func covers(_ part: PolicyRule) -> Bool {
        func has(_ own: [String]?, _ wanted: [String]?) -> Bool {
            let own = own ?? []
            return (wanted ?? []).allSatisfy { own.contains("*") || own.contains($0) }
        }
        guard has(verbs, part.verbs) else { return false }
        if let paths = part.nonResourceURLs, !paths.isEmpty {
            return paths.allSatisfy { path in
                (nonResourceURLs ?? []).contains { Self.matches(path: path, pattern: $0) }
            }
        }
        guard has(apiGroups, part.apiGroups) else { return false }
        let isResourceCovered = (part.resources ?? []).allSatisfy { wanted in
            let subresource = wanted.split(separator: "/").dropFirst().first
            return (resources ?? []).contains {
                $0 == "*" || $0 == wanted || subresource.map { name in "*/\(name)" } == $0
            }
        }
        guard isResourceCovered else { return false }
        let names = resourceNames ?? []
        guard !names.isEmpty else { return true }
        let wanted = part.resourceNames ?? []
        return !wanted.isEmpty && wanted.allSatisfy(names.contains)
    }
}
