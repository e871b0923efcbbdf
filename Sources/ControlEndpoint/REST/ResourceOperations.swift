internal import KubernetesAPI
internal import Logging

/// The verbs on stored objects, for every kind alike; what a kind does differently is in its strategy. Knows nothing of
/// HTTP.
final class ResourceOperations: Sendable {
    /// How often a write without a version of its own is tried again when another one came in between.
    static let conflictRetryLimit = 5
    /// Names drawn for one `generateName` before giving up.
    static let generatedNameLimit = 8

    let registry: ResourceRegistry
    let store: ResourceStore
    let serviceAddresses: ServiceAddressAllocator
    let access: AccessControl
    /// What pods trust the API by, PEM; nil leaves it to others to publish it.
    let rootCertificatePEM: String?
    let quotaLedger = QuotaLedger()
    let policyRounds = RefreshRounds()
    /// Signs what certificate requests ask for; nil leaves them to others.
    let certificateSigner: CertificateSigner?
    /// Names and addresses of the endpoint itself.
    let ownNames: Set<String>
    let logger: Logger
    private let clock: @Sendable () -> Timestamp

    init(
        registry: ResourceRegistry, store: ResourceStore, serviceAddresses: ServiceAddressAllocator,
        rootCertificatePEM: String? = nil, certificateSigner: CertificateSigner? = nil, ownNames: Set<String> = [],
        logger: Logger,
        clock: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
    ) {
        self.registry = registry
        self.store = store
        access = AccessControl(store: store)
        self.serviceAddresses = serviceAddresses
        self.rootCertificatePEM = rootCertificatePEM
        self.certificateSigner = certificateSigner
        self.ownNames = ownNames
        self.logger = logger
        self.clock = clock
        let services = store.list(ResourceID(group: "", plural: "services")).objects
        for service in services { _ = serviceAddresses.reserve(service.value.string("spec", "clusterIP")) }
    }

    var now: Timestamp { clock() }

    func get(_ resource: RegisteredResource, namespace: String?, name: String) throws(APIStatusError) -> StoredObject {
        guard let object = store.get(resource.key(namespace: namespace, name: name)) else {
            throw .notFound(resource.id, name)
        }
        return object
    }

    // MARK: Create

    /// Stores a new object.
    /// - Parameters:
    ///   - body: as sent by the client; see ``checkedBody(_:for:options:)``.
    ///   - name: the name in the URL, where there is one (creation by PUT).
    func create(
        _ resource: RegisteredResource, namespace: String?, name: String? = nil, body: JSONValue, options: WriteOptions
    ) async throws(APIStatusError) -> WriteResult {
        let (checked, warnings) = try checkedBody(body, for: resource, options: options)
        var object = checked
        try fixNamespace(&object, resource, namespace)
        if let namespace, resource.definition.namespaced { try requireActiveNamespace(namespace, resource, object) }
        guard object.string("metadata", "resourceVersion").isEmpty || name != nil else {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        if let name { object.set(.string(name), at: "metadata", "name") }
        let generateName = object.string("metadata", "generateName")
        let isGenerated = object.string("metadata", "name").isEmpty && !generateName.isEmpty
        let context = context(options)
        for attempt in 1...Self.generatedNameLimit {
            if isGenerated { object.set(.string(GeneratedName.make(prefix: generateName)), at: "metadata", "name") }
            let result = try await storeNew(
                resource, object, context, managedFields: options.managers.encoded, warnings: warnings)
            if let result { return result }
            if !isGenerated || attempt == Self.generatedNameLimit { break }
        }
        throw .alreadyExists(resource.id, object.string("metadata", "name"))
    }

    /// Nil when an object of that name exists.
    private func storeNew(
        _ resource: RegisteredResource, _ given: JSONValue, _ context: StrategyContext, managedFields: JSONValue?,
        warnings: [String]
    ) async throws(APIStatusError) -> WriteResult? {
        var object = given
        let name = object.string("metadata", "name")
        let key = resource.key(namespace: object[path: "metadata", "namespace"]?.stringValue, name: name)
        if !name.isEmpty, store.get(key) != nil { return nil }
        ObjectMetadata.prepareNew(&object, now: context.now, tracksGeneration: resource.strategy.tracksGeneration)
        try resource.strategy.prepareForCreate(&object, context)
        do throws(APIStatusError) {
            var (value, problems) = try resource.normalize(object)
            guard problems.isEmpty else { throw APIStatusError.invalid(resource.definition, name, problems) }
            if let managedFields { value.set(managedFields, at: "metadata", "managedFields") }
            if context.isDryRun {
                try checkAdmission(value, over: nil, resource, key)
                return WriteResult(dryRun: value, warnings: warnings, isCreated: true)
            }
            let stored = try await storeInQuota(value, key, resource)
            await namespaceChanged(resource.id, key.namespace, old: nil, new: stored.value)
            await resource.strategy.afterCreate(stored, self)
            await removeIfNamespaceLeft(stored, resource)
            return WriteResult(stored, warnings: warnings, isCreated: true)
        } catch {
            // What the strategy reserved for the object goes back.
            if !context.isDryRun { resource.strategy.createFailed(object, context) }
            if error.reason == "AlreadyExists" { return nil }
            throw error
        }
    }

    private func storeInQuota(
        _ value: JSONValue, _ key: ObjectKey, _ resource: RegisteredResource
    ) async throws(APIStatusError) -> StoredObject {
        let reservation = try admitToNamespace(value, over: nil, resource, key)
        defer { if let reservation { quotaLedger.release(reservation) } }
        return try await write(key, expecting: .absent, .put(value))
    }

    /// A namespace that began to terminate while the object was on its way would wait for it for ever.
    private func removeIfNamespaceLeft(_ stored: StoredObject, _ resource: RegisteredResource) async {
        guard !stored.key.namespace.isEmpty else { return }
        let namespaces = ResourceID(group: "", plural: "namespaces")
        let found = store.get(ObjectKey(resource: namespaces, namespace: "", name: stored.key.namespace))
        if let found, !found.isBeingDeleted { return }
        do {
            _ = try await delete(
                resource, namespace: stored.key.namespace, name: stored.key.name, request: DeletionRequest())
        } catch {
            logger.debug("object of a terminating namespace already gone", metadata: ["object": "\(stored.key)"])
        }
    }

    // MARK: Shared by the writes

    func context(_ options: WriteOptions) -> StrategyContext {
        StrategyContext(
            now: now, serviceAddresses: serviceAddresses, isDryRun: options.isDryRun, requester: options.requester,
            access: access, signer: certificateSigner, ownNames: ownNames, store: store)
    }

    /// Checks kind, version and field names of a body and completes the first two.
    func checkedBody(
        _ body: JSONValue, for resource: RegisteredResource, options: WriteOptions
    ) throws(APIStatusError) -> (JSONValue, warnings: [String]) {
        let definition = resource.definition
        guard body.objectValue != nil else {
            throw .badRequest("the body must be one object, not \(body.kindName)")
        }
        var object = body
        let kind = body.string("kind")
        guard kind.isEmpty || kind == definition.kind else {
            throw .badRequest(
                "the object provided is unrecognized as a \(definition.kind): its kind is \"\(kind)\"")
        }
        let version = body.string("apiVersion")
        guard version.isEmpty || version == definition.apiVersion else {
            throw .badRequest(
                "the API version in the data (\(version)) does not match the expected API version "
                    + "(\(definition.apiVersion))"
            )
        }
        object["kind"] = .string(definition.kind)
        object["apiVersion"] = .string(definition.apiVersion)
        return (object, try flaws(of: object, resource, options))
    }

    /// The namespace of the URL wins when the body has none, and must agree when it has.
    func fixNamespace(
        _ object: inout JSONValue, _ resource: RegisteredResource, _ namespace: String?
    ) throws(APIStatusError) {
        guard resource.definition.namespaced else {
            object.set(nil, at: "metadata", "namespace")
            return
        }
        let given = object.string("metadata", "namespace")
        guard let namespace else { throw .badRequest("a namespace is required in the path of the request") }
        guard given.isEmpty || given == namespace else {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        object.set(.string(namespace), at: "metadata", "namespace")
    }

    private func requireActiveNamespace(
        _ namespace: String, _ resource: RegisteredResource, _ object: JSONValue
    ) throws(APIStatusError) {
        let namespaces = ResourceID(group: "", plural: "namespaces")
        guard let found = store.get(ObjectKey(resource: namespaces, namespace: "", name: namespace)) else {
            throw .notFound(namespaces, namespace)
        }
        guard !found.isBeingDeleted else {
            throw .forbidden(
                resource.id, object.string("metadata", "name"),
                "unable to create new content in namespace \(namespace) because it is being terminated")
        }
    }

    /// One write, with the store's refusals as the API words them.
    func write(
        _ key: ObjectKey, expecting: ResourceStore.Expectation, _ change: ResourceStore.Change
    ) async throws(APIStatusError) -> StoredObject {
        do {
            let stored = try await store.write(key, expecting: expecting, change)
            access.changed(key.resource)
            return stored
        } catch {
            switch error {
            case .exists: throw .alreadyExists(key.resource, key.name)
            case .changed: throw .modified(key.resource, key.name)
            case .missing: throw .notFound(key.resource, key.name)
            case .failed(.full(let path)): throw .insufficientStorage("no space left on the disk of \(path)")
            case .failed(let failure):
                logger.error("a write to the store failed", metadata: ["reason": "\(failure)"])
                throw .internalError("\(failure)")
            }
        }
    }
}
