internal import KubernetesAPI

/// Replacing and patching.
extension ResourceOperations {
    /// Replaces an object, or only a part of it.
    func update(
        _ resource: RegisteredResource, namespace: String?, name: String, part: ObjectPart = .main, body: JSONValue,
        options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let (checked, warnings) = try checkedBody(body, for: resource, options: options)
        var object = checked
        try fixNamespace(&object, resource, namespace)
        let given = object.string("metadata", "name")
        guard given.isEmpty || given == name else {
            throw .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
        }
        let key = resource.key(namespace: namespace, name: name)
        let wantedVersion = object.string("metadata", "resourceVersion")
        if store.get(key) == nil, resource.strategy.createsOnUpdate, part == .main {
            return try await create(resource, namespace: namespace, name: name, body: object, options: options)
        }
        var result = try await modify(resource, key, part: part, options: options) {
            current throws(APIStatusError) in
            var proposed = object
            if wantedVersion.isEmpty {
                proposed.set(.string(String(current.resourceVersion)), at: "metadata", "resourceVersion")
            }
            return proposed
        }
        result.warnings += warnings
        return result
    }

    /// Applies a patch to the newest version, again when another write came in between.
    func patch(
        _ resource: RegisteredResource, namespace: String?, name: String, part: ObjectPart = .main, patch: ObjectPatch,
        options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let key = resource.key(namespace: namespace, name: name)
        var warnings: [String] = []
        if let shape = patch.objectShape { warnings = try flaws(of: shape, resource, options) }
        var result = try await modify(resource, key, part: part, options: options) {
            current throws(APIStatusError) in
            let patched = try patch.apply(to: current.value, resource: resource)
            // What is stored has no unknown fields: those there are come from the operations.
            if patch.objectShape == nil { warnings = try flaws(of: patched, resource, options) }
            let given = patched.string("metadata", "name")
            guard given == name else {
                throw .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
            }
            return patched
        }
        result.warnings += warnings
        return result
    }

    /// Fields that the kind does not have, and those that were sent twice, as warnings; an error when the client wants no
    /// such fields.
    func flaws(
        of object: JSONValue, _ resource: RegisteredResource, _ options: WriteOptions
    ) throws(APIStatusError) -> [String] {
        let isAmbiguous = !options.duplicateFields.isEmpty && !options.isFieldValidationGiven
        if options.fieldValidation == .ignore { return [] }
        let flaws =
            resource.schema.unknownFields(in: object).map { "unknown field \"\($0)\"" }
            + options.duplicateFields.map { "duplicate field \"\($0)\"" }
        if flaws.isEmpty || (options.fieldValidation == .warn && !isAmbiguous) { return flaws }
        throw .badRequest(
            "\(resource.definition.kind) in version \"\(resource.definition.version)\" cannot be handled as a "
                + "\(resource.definition.kind): strict decoding error: \(flaws.joined(separator: ", "))")
    }

    /// Reads, changes and writes one object under its version. `change` gives the proposed object; its resource version
    /// and UID, where they differ from the current ones, are conditions the client set.
    func modify(
        _ resource: RegisteredResource, _ key: ObjectKey, part: ObjectPart, options: WriteOptions,
        _ change: (StoredObject) throws(APIStatusError) -> JSONValue
    ) async throws(APIStatusError) -> WriteResult {
        for attempt in 1...Self.conflictRetryLimit {
            guard let current = store.get(key)?.readOnce() else { throw .notFound(resource.id, key.name) }
            let proposed = try change(current)
            try checkConditions(proposed, current)
            var value = try merged(proposed, into: current, resource, part, options)
            value.set(
                managedFields(of: value, proposed: proposed, replacing: current, resource, part, options),
                at: "metadata", "managedFields")
            if value == current.value { return WriteResult(current) }
            if options.isDryRun {
                try checkAdmission(value, over: current, resource, key)
                return WriteResult(dryRun: value)
            }
            do {
                return WriteResult(try await store(value, over: current, resource))
            } catch  where error.reason == "Conflict" && attempt < Self.conflictRetryLimit {
                continue
            }
        }
        throw .modified(resource.id, key.name)
    }

    func checkConditions(_ proposed: JSONValue, _ current: StoredObject) throws(APIStatusError) {
        let version = proposed.string("metadata", "resourceVersion")
        if !version.isEmpty, version != String(current.resourceVersion) {
            throw .modified(current.key.resource, current.key.name)
        }
        let uid = proposed.string("metadata", "uid")
        if !uid.isEmpty, uid != current.uid {
            throw .conflict(
                current.key.resource, current.key.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)")
        }
    }

    /// The object as it would be stored: server fields kept, status and the rest kept apart, defaults filled, rules
    /// checked.
    func merged(
        _ proposed: JSONValue, into current: StoredObject, _ resource: RegisteredResource, _ part: ObjectPart,
        _ options: WriteOptions
    ) throws(APIStatusError) -> JSONValue {
        let old = current.value
        var object = proposed
        ObjectMetadata.keepServerFields(of: old, in: &object)
        object.set(.string(String(current.resourceVersion)), at: "metadata", "resourceVersion")
        let strategy = resource.strategy
        switch part {
        case .status:
            let (metadata, status) = (object["metadata"], object["status"])
            object = old
            object["metadata"] = metadata
            object["status"] = status
            for field in ["finalizers", "ownerReferences"] {
                object.set(old[path: "metadata", field], at: "metadata", field)
            }
        case .approval:
            let conditions = object[path: "status", "conditions"]
            object = old
            object.set(conditions, at: "status", "conditions")
        case .ephemeralContainers:
            let containers = object[path: "spec", "ephemeralContainers"]
            object = old
            object.set(containers, at: "spec", "ephemeralContainers")
        case .resources:
            let proposal = object
            object = old
            for list in ["containers", "initContainers"] { Self.takeResources(list, from: proposal, into: &object) }
        case .main:
            if strategy.hasStatus { object["status"] = old["status"] }
        }
        try strategy.prepareForUpdate(&object, old: old, context(options))
        var (value, problems) = try resource.normalize(object, replacing: old, part)
        guard problems.isEmpty else { throw .invalid(resource.definition, current.key.name, problems) }
        if strategy.tracksGeneration, value["spec"] != old["spec"] {
            let generation = old[path: "metadata", "generation"]?.intValue ?? 0
            value.set(.integer(generation &+ 1), at: "metadata", "generation")
        }
        return value
    }

    /// Of containers that are the same otherwise; a list that is not is taken as it is, for the validation to tell.
    private static func takeResources(_ list: String, from proposal: JSONValue, into object: inout JSONValue) {
        let (proposed, current) = (proposal.list("spec", list), object.list("spec", list))
        guard proposed.map({ $0.string("name") }) == current.map({ $0.string("name") }) else {
            object.set(.array(proposed), at: "spec", list)
            return
        }
        guard !current.isEmpty else { return }
        let resized = zip(proposed, current).map { proposal, container in
            var container = container
            container["resources"] = proposal["resources"]
            return container
        }
        object.set(.array(resized), at: "spec", list)
    }

    /// Stores a new version; an object that waited only for its last finalizer goes instead.
    func store(
        _ value: JSONValue, over current: StoredObject, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> StoredObject {
        let expectation = ResourceStore.Expectation.version(current.resourceVersion)
        let hasFinalizers = !value.list("metadata", "finalizers").isEmpty
        let grace = value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue ?? 0
        let isLeaving = current.isBeingDeleted && !current.finalizers.isEmpty && !hasFinalizers && grace == 0
        if isLeaving, resource.id.plural != "namespaces" {
            return try await remove(current, resource)
        }
        let reservation = try admitToNamespace(value, over: current, resource, current.key)
        defer { if let reservation { quotaLedger.release(reservation) } }
        let stored = try await write(current.key, expecting: expectation, .put(value))
        await namespaceChanged(resource.id, current.key.namespace, old: current.value, new: stored.value)
        if isLeaving { await finalizeNamespace(current.key.name) }
        return stored
    }
}
