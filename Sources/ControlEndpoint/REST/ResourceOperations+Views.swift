internal import KubernetesAPI

/// Writing objects in the form of a view: they are checked as what the client sent, and kept in the form they have.
extension ResourceOperations {
    /// The kind that keeps the objects of a kind: itself, unless it is a view.
    func storage(of resource: RegisteredResource) -> RegisteredResource {
        resource.view.flatMap { registry.resource($0.storage) } ?? resource
    }

    func create(
        _ resource: RegisteredResource, shownBy view: ResourceView, namespace: String?, name: String? = nil,
        body: JSONValue, options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let (checked, warnings) = try checkedBody(body, for: resource, options: options)
        let (shown, problems) = try resource.normalize(checked)
        guard problems.isEmpty else {
            throw .invalid(resource.definition, checked.string("metadata", "name"), problems)
        }
        var result = try await create(
            storage(of: resource), namespace: namespace, name: name, body: view.kept(shown, over: nil),
            options: options.withoutFieldChecks)
        result.warnings += warnings
        return result.shown(by: view)
    }

    /// Replaces or patches.
    /// - Parameter change: gives the proposed object in the view's form, from the current one in that form.
    func modify(
        _ resource: RegisteredResource, shownBy view: ResourceView, namespace: String?, name: String, part: ObjectPart,
        options: WriteOptions, _ change: (JSONValue) throws(APIStatusError) -> JSONValue
    ) async throws(APIStatusError) -> WriteResult {
        let storage = storage(of: resource)
        var warnings: [String] = []
        var result = try await modify(
            storage, storage.key(namespace: namespace, name: name), part: part, options: options.withoutFieldChecks
        ) { current throws(APIStatusError) in
            let old = current.value
            let (checked, flaws) = try checkedBody(
                try change(view.shown(old)), for: resource, options: options)
            warnings = flaws
            let given = checked.string("metadata", "name")
            guard given.isEmpty || given == name else {
                throw .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
            }
            let (shown, problems) = try resource.normalize(checked)
            guard problems.isEmpty else { throw .invalid(resource.definition, name, problems) }
            return view.kept(shown, over: old)
        }
        result.warnings += warnings
        return result.shown(by: view)
    }

    func update(
        _ resource: RegisteredResource, shownBy view: ResourceView, namespace: String?, name: String, part: ObjectPart,
        body: JSONValue, options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let storage = storage(of: resource)
        if storage.strategy.createsOnUpdate, part == .main,
            store.get(storage.key(namespace: namespace, name: name)) == nil
        {
            return try await create(
                resource, shownBy: view, namespace: namespace, name: name, body: body, options: options)
        }
        return try await modify(
            resource, shownBy: view, namespace: namespace, name: name, part: part, options: options
        ) { current throws(APIStatusError) in
            guard body.objectValue != nil else {
                throw .badRequest("the body must be one object, not \(body.kindName)")
            }
            var proposed = body
            for field in ["namespace", "uid", "resourceVersion", "creationTimestamp"]
            where proposed.string("metadata", field).isEmpty {
                proposed.set(current[path: "metadata", field], at: "metadata", field)
            }
            return proposed
        }
    }
}

extension WriteResult {
    /// The same in the form of a view.
    func shown(by view: ResourceView) -> WriteResult {
        WriteResult(dryRun: view.shown(value), warnings: warnings, isCreated: isCreated)
    }
}
