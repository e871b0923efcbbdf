internal import KubernetesAPI

/// Server-side apply: a client says all it wants of an object, and the server keeps who wants what.
extension ResourceOperations {
    /// Creates the object, or merges the configuration into it.
    func apply(
        _ resource: RegisteredResource, namespace: String?, name: String, part: ObjectPart, configuration: JSONValue,
        options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let (checked, warnings) = try checkedConfiguration(configuration, resource, namespace, name, options)
        let manager = FieldManagers.Manager(
            name: options.fieldManager, applies: true, apiVersion: resource.definition.apiVersion,
            subresource: part.subresource)
        let key = resource.key(namespace: namespace, name: name)
        for attempt in 1...Self.conflictRetryLimit {
            do {
                guard let current = store.get(key)?.readOnce() else {
                    return try await createApplied(checked, resource, namespace, part, key, manager, warnings, options)
                }
                var result = try await applyOnce(checked, current, resource, part, manager, options)
                result.warnings += warnings
                return result
            } catch  where Self.isRace(error) && attempt < Self.conflictRetryLimit {
                continue
            }
        }
        throw .modified(resource.id, name)
    }

    /// Somebody else wrote in between; a conflict of managers is none.
    private static func isRace(_ error: APIStatusError) -> Bool {
        if error.reason == "AlreadyExists" { return true }
        return error.reason == "Conflict" && error.details["causes"] == nil && !error.isFinal
    }

    private func checkedConfiguration(
        _ configuration: JSONValue, _ resource: RegisteredResource, _ namespace: String?, _ name: String,
        _ options: WriteOptions
    ) throws(APIStatusError) -> (JSONValue, warnings: [String]) {
        guard !options.fieldManager.isEmpty else {
            throw .invalidPatchOptions(.required(FieldPath("fieldManager"), "is required for apply patch"))
        }
        guard !configuration.string("apiVersion").isEmpty, !configuration.string("kind").isEmpty else {
            throw .badRequest("an apply configuration must have apiVersion and kind")
        }
        var (checked, warnings) = try checkedBody(configuration, for: resource, options: options)
        try fixNamespace(&checked, resource, namespace)
        guard JSONValue.isEmpty(checked[path: "metadata", "managedFields"]) else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let given = checked.string("metadata", "name")
        guard given.isEmpty || given == name else {
            throw .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
        }
        checked.set(.string(name), at: "metadata", "name")
        return (checked, warnings)
    }

    private func createApplied(
        _ configuration: JSONValue, _ resource: RegisteredResource, _ namespace: String?, _ part: ObjectPart,
        _ key: ObjectKey, _ manager: FieldManagers.Manager, _ warnings: [String], _ options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        guard part == .main else { throw .notFound(resource.id, key.name) }
        if let requester = options.requester { try checkMayCreate(requester, key) }
        guard configuration.string("metadata", "uid").isEmpty,
            configuration.string("metadata", "resourceVersion").isEmpty
        else {
            var conflict = APIStatusError.conflict(
                resource.id, key.name, "uid or resourceVersion is given, and there is no such object")
            conflict.isFinal = true
            throw conflict
        }
        var managers = FieldManagers()
        do {
            let applied = try managers.apply(
                configuration, to: nil, as: manager, type: resource.applyType, without: resource.foreignParts(to: part),
                now: now)
            _ = try managers.settle(
                applied, old: nil, new: configuration, type: resource.applyType, isForced: false, now: now)
        } catch { throw .notApplicable(error) }
        var silent = options
        // Checked and told already.
        silent.fieldValidation = .ignore
        silent.managers = managers
        var result = try await create(resource, namespace: namespace, body: configuration, options: silent)
        result.warnings += warnings
        return result
    }

    /// Who may only patch does not create by that.
    private func checkMayCreate(_ requester: Identity, _ key: ObjectKey) throws(APIStatusError) {
        let request = AccessRequest(
            verb: "create",
            target: .resource(
                group: key.resource.group, resource: key.resource.plural, subresource: "", namespace: key.namespace,
                name: ""))
        guard access.reason(requester, request) == nil else { return }
        throw .forbidden(
            key.resource, key.name,
            "User \"\(requester.name)\" cannot create resource \"\(key.resource.plural)\" in API group "
                + "\"\(key.resource.group)\": it does not exist, and applying would create it")
    }

    private func applyOnce(
        _ configuration: JSONValue, _ current: StoredObject, _ resource: RegisteredResource, _ part: ObjectPart,
        _ manager: FieldManagers.Manager, _ options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let (type, foreign) = (resource.applyType, resource.foreignParts(to: part))
        var managers = FieldManagers(current.value[path: "metadata", "managedFields"])
        let applied: AppliedConfiguration
        do {
            applied = try managers.apply(
                configuration, to: current.value, as: manager, type: type, without: foreign, now: now)
        } catch { throw .notApplicable(error) }
        // What the client wrote there is a condition; what it left out is what is stored.
        try checkConditions(applied.object, current)
        var value = try merged(applied.object, into: current, resource, part, options)
        do {
            let before = managers
            var conflicts = try managers.settle(
                applied, old: current.value, new: value, type: type, isForced: options.isForced, now: now)
            if !conflicts.isEmpty, manager.name == Self.kubectlManager,
                FieldManagers.areLastApplied(conflicts, in: current.value, type: type)
            {
                // The same person applied it without the server before.
                managers = before
                conflicts = try managers.settle(
                    applied, old: current.value, new: value, type: type, isForced: true, now: now)
            }
            guard conflicts.isEmpty else { throw APIStatusError.applyConflict(conflicts) }
        } catch let error as ApplyError {
            throw .notApplicable(error)
        } catch let error as APIStatusError {
            throw error
        } catch { throw .internalError("\(error)") }
        value.set(managers.encoded, at: "metadata", "managedFields")
        if value == current.value { return WriteResult(current) }
        if options.isDryRun {
            try checkAdmission(value, over: current, resource, current.key)
            return WriteResult(dryRun: value)
        }
        return WriteResult(try await store(value, over: current, resource))
    }

    /// The name by which `kubectl apply --server-side` goes unless told otherwise.
    private static var kubectlManager: String { "kubectl" }

    /// The record of owners after a change by another way than applying. Only objects that were applied have one; the
    /// status, which nodes and controllers write often, gets no owner by being written.
    func managedFields(
        of value: JSONValue, proposed: JSONValue, replacing current: StoredObject, _ resource: RegisteredResource,
        _ part: ObjectPart, _ options: WriteOptions
    ) -> JSONValue? {
        let kept = current.value[path: "metadata", "managedFields"]
        var base = kept
        // Clients may edit the record of the object itself: `kubectl apply` does so when it changes its ways.
        if part == .main, let given = proposed[path: "metadata", "managedFields"], !given.isNull { base = given }
        guard !JSONValue.isEmpty(base) else { return nil }
        var managers = FieldManagers(base)
        let manager = FieldManagers.Manager(
            name: options.fieldManager.isEmpty ? "unknown" : options.fieldManager, applies: false,
            apiVersion: resource.definition.apiVersion, subresource: part.subresource)
        do {
            try managers.update(
                old: current.value, new: value, by: part == .main ? manager : nil, type: resource.applyType,
                without: resource.foreignParts(to: part), now: now)
        } catch { return base }
        return managers.encoded
    }
}

extension ObjectPart {
    /// As the record of owners names it.
    var subresource: String {
        switch self {
        case .main: ""
        case .status: "status"
        case .ephemeralContainers: "ephemeralcontainers"
        case .approval: "approval"
        case .resources: "resize"
        }
    }
}

extension RegisteredResource {
    /// Members of the object that a write to this part does not set.
    func foreignParts(to part: ObjectPart) -> [String] {
        switch part {
        case .main: strategy.hasStatus ? ["status"] : []
        case .status, .approval: ["spec", "metadata"]
        case .ephemeralContainers, .resources: ["status", "metadata"]
        }
    }
}

extension APIStatusError {
    static func notApplicable(_ error: ApplyError) -> APIStatusError {
        .badRequest("failed to create typed patch object: \(error)")
    }

    static func invalidPatchOptions(_ cause: FieldError) -> APIStatusError {
        APIStatusError(
            code: 422, reason: "Invalid", message: "PatchOptions.meta.k8s.io \"\" is invalid: \(cause)",
            details: [
                "group": "meta.k8s.io", "kind": "PatchOptions",
                "causes": [
                    .object([
                        "reason": .string(cause.type.rawValue), "message": .string(cause.body),
                        "field": .string(cause.field.description),
                    ])
                ],
            ])
    }

    /// Other managers own fields with other values: each is a cause, and the message groups them by manager.
    static func applyConflict(_ conflicts: [FieldManagers.Conflict]) -> APIStatusError {
        var byManager: [(name: String, fields: [String])] = []
        for conflict in conflicts {
            if let index = byManager.firstIndex(where: { $0.name == conflict.managerText }) {
                byManager[index].fields.append(conflict.field)
            } else {
                byManager.append((conflict.managerText, [conflict.field]))
            }
        }
        let text = byManager.map { manager in
            manager.fields.count == 1
                ? "conflict with \(manager.name): \(manager.fields[0])"
                : "conflicts with \(manager.name):\n" + manager.fields.map { "- \($0)" }.joined(separator: "\n")
        }
        let causes = conflicts.prefix(Self.causeLimit).map { conflict in
            JSONValue.object([
                "reason": "FieldManagerConflict", "message": .string("conflict with \(conflict.managerText)"),
                "field": .string(conflict.field),
            ])
        }
        return APIStatusError(
            code: 409, reason: "Conflict",
            message: "Apply failed with \(conflicts.count) conflict\(conflicts.count == 1 ? "" : "s"): "
                + text.joined(separator: "\n"),
            details: ["causes": .array(Array(causes))])
    }

    /// Beyond these, the message tells all.
    private static var causeLimit: Int { 100 }
}
