internal import KubernetesAPI

/// Deletion: at once, with a grace period, or held back by finalizers.
extension ResourceOperations {
    struct DeletionResult: Sendable {
        var object: StoredObject
        /// The object is gone, not only marked.
        var isGone: Bool
    }

    func delete(
        _ resource: RegisteredResource, namespace: String?, name: String, request: DeletionRequest
    ) async throws(APIStatusError) -> DeletionResult {
        let key = resource.key(namespace: namespace, name: name)
        for attempt in 1...Self.conflictRetryLimit {
            guard let current = store.get(key)?.readOnce() else { throw .notFound(resource.id, name) }
            try check(request, against: current)
            if let refusal = resource.strategy.refusalToDelete(name) { throw refusal }
            if request.isDryRun { return DeletionResult(object: current, isGone: false) }
            do {
                let prepared = try await prepared(current, resource, request)
                return try await proceed(prepared, resource, request)
            } catch  where error.reason == "Conflict" && attempt < Self.conflictRetryLimit {
                continue
            }
        }
        throw .modified(resource.id, name)
    }

    func check(_ request: DeletionRequest, against current: StoredObject) throws(APIStatusError) {
        if let uid = request.uid, uid != current.uid {
            throw .conflict(
                current.key.resource, current.key.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)")
        }
        if let version = request.resourceVersion, version != String(current.resourceVersion) {
            throw .conflict(
                current.key.resource, current.key.name,
                "Precondition failed: ResourceVersion in precondition: \(version), ResourceVersion in object meta: "
                    + "\(current.resourceVersion)")
        }
    }

    /// Notes what is to become of the objects this one owns, for the collector: a finalizer holds the object until it
    /// is done.
    private func prepared(
        _ current: StoredObject, _ resource: RegisteredResource, _ request: DeletionRequest
    ) async throws(APIStatusError) -> StoredObject {
        guard let propagation = request.propagation, resource.id.plural != "namespaces" else { return current }
        var finalizers = current.finalizers.filter { !DeletionRequest.Propagation.finalizers.contains($0) }
        if let finalizer = propagation.finalizer { finalizers.append(finalizer) }
        guard Set(finalizers) != Set(current.finalizers) else { return current }
        var value = current.value
        value.set(
            finalizers.isEmpty ? nil : .array(finalizers.map(JSONValue.string)), at: "metadata", "finalizers")
        return try await write(current.key, expecting: .version(current.resourceVersion), .put(value))
    }

    private func proceed(
        _ current: StoredObject, _ resource: RegisteredResource, _ request: DeletionRequest
    ) async throws(APIStatusError) -> DeletionResult {
        let plan = resource.strategy.deletion(of: current.value, requestedGraceSeconds: request.gracePeriodSeconds)
        if plan == .deferred { return try await deferDeletion(of: current) }
        if current.isBeingDeleted {
            // Marked to go at once and still here: only finalizers may hold it.
            if Self.grace(of: current) <= 0 { return try await finish(current, resource) }
            guard let shorter = shortenedGrace(current, request) else {
                return DeletionResult(object: current, isGone: false)
            }
            return shorter == 0
                ? try await finish(current, resource) : try await mark(current, graceSeconds: shorter)
        }
        switch plan {
        case .immediate, .deferred: return try await finish(current, resource)
        case .graceful(let seconds): return try await mark(current, graceSeconds: seconds)
        }
    }

    /// A deletion under way can only get faster. Nil when the request changes nothing.
    private func shortenedGrace(_ current: StoredObject, _ request: DeletionRequest) -> Int64? {
        guard var wanted = request.gracePeriodSeconds else { return nil }
        if wanted < 0 { wanted = 1 }
        return wanted < Self.grace(of: current) ? wanted : nil
    }

    private static func grace(of object: StoredObject) -> Int64 {
        object.part(["metadata", "deletionGracePeriodSeconds"])?.intValue ?? 0
    }

    /// Marks the object as leaving. Its owner sees the mark, stops what it describes and deletes it with grace 0.
    private func mark(_ current: StoredObject, graceSeconds: Int64) async throws(APIStatusError) -> DeletionResult {
        var value = current.value
        // The time counts from the first request, however often it is shortened.
        var begin = now.seconds
        if let text = value[path: "metadata", "deletionTimestamp"]?.stringValue, let due = Timestamp(rfc3339: text) {
            begin = due.seconds &- Self.grace(of: current)
        }
        // A pod may have a grace that ends later than any time can show.
        let graceSeconds = min(graceSeconds, Self.latestSecond &- begin)
        let due = Timestamp(seconds: begin &+ graceSeconds, nanoseconds: 0)
        value.set(.string(due.rfc3339), at: "metadata", "deletionTimestamp")
        value.set(.integer(graceSeconds), at: "metadata", "deletionGracePeriodSeconds")
        // The mark is a change of what is wanted, a shorter grace only hurries it.
        if !current.isBeingDeleted, let generation = value[path: "metadata", "generation"]?.intValue {
            value.set(.integer(generation &+ 1), at: "metadata", "generation")
        }
        let stored = try await write(current.key, expecting: .version(current.resourceVersion), .put(value))
        await namespaceChanged(current.key.resource, current.key.namespace, old: current.value, new: value)
        return DeletionResult(object: stored, isGone: false)
    }

    /// The last second a timestamp can show: 9999-12-31T23:59:59Z.
    private static var latestSecond: Int64 { 253_402_300_799 }

    /// Removes the object, or marks it to go when its last finalizer does.
    private func finish(_ current: StoredObject, _ resource: RegisteredResource) async throws(APIStatusError)
        -> DeletionResult
    {
        if current.finalizers.isEmpty {
            return DeletionResult(object: try await remove(current, resource), isGone: true)
        }
        if current.isBeingDeleted, Self.grace(of: current) <= 0 {
            return DeletionResult(object: current, isGone: false)
        }
        return try await mark(current, graceSeconds: 0)
    }

    /// Removes the object and does what its kind wants done then.
    func remove(_ current: StoredObject, _ resource: RegisteredResource) async throws(APIStatusError) -> StoredObject {
        let last = try await write(current.key, expecting: .version(current.resourceVersion), .delete)
        await resource.strategy.afterRemoval(last, self)
        await namespaceChanged(resource.id, current.key.namespace, old: last.value, new: nil)
        if !current.key.namespace.isEmpty { await finalizeNamespace(current.key.namespace) }
        return last
    }

    /// Deletes every object of a kind that a filter lets through.
    /// - Returns: the objects as they were left.
    func deleteCollection(
        _ resource: RegisteredResource, namespace: String?, filter: ObjectFilter, request: DeletionRequest
    ) async throws(APIStatusError) -> [StoredObject] {
        let objects = store.list(resource.id, namespace: namespace).objects.filter(filter.matches)
        let results = await inBatches(objects) { [self] object -> Result<StoredObject, APIStatusError>? in
            do throws(APIStatusError) {
                return .success(
                    try await delete(
                        resource, namespace: object.key.namespace, name: object.key.name, request: request
                    ).object)
            } catch  where error.reason == "NotFound" {
                return nil
            } catch { return .failure(error) }
        }
        var left: [StoredObject] = []
        for case .some(let result) in results { left.append(try result.get()) }
        if results.count < objects.count { throw .internalError("the server is stopping") }
        return left
    }

    /// Carries out as many writes at a time as the store takes into one transaction. Ends early, between two such, when the server
    /// stops.
    /// - Returns: the outcomes, in order.
    @discardableResult
    func inBatches<Element: Sendable, Outcome: Sendable>(
        _ elements: [Element], _ write: @escaping @Sendable (Element) async -> Outcome
    ) async -> [Outcome] {
        var outcomes: [Outcome] = []
        var rest = elements[...]
        while !rest.isEmpty, !store.isStopping {
            let batch = rest.prefix(ResourceStore.batchLimit)
            rest = rest.dropFirst(batch.count)
            outcomes += await withTaskGroup(of: (Int, Outcome).self) { group in
                for (index, element) in batch.enumerated() {
                    group.addTask { (index, await write(element)) }
                }
                var collected: [(Int, Outcome)] = []
                for await outcome in group { collected.append(outcome) }
                return collected.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
        return outcomes
    }
}
