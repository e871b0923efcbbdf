internal import KubernetesAPI

/// What one kind does differently from the generic object. Everything has a default, so most kinds need no code.
protocol ResourceStrategy: Sendable {
    /// `status` is a subresource: the main resource cannot write it, and it cannot write the rest.
    var hasStatus: Bool { get }
    /// `metadata.generation` counts changes of the spec.
    var tracksGeneration: Bool { get }
    /// PUT of an absent object creates it.
    var createsOnUpdate: Bool { get }
    /// DELETE answers with the object rather than with a Status.
    var returnsDeletedObject: Bool { get }

    /// Fills and clears fields of a new object before defaulting and validation.
    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError)
    /// Gives back what ``prepareForCreate(_:_:)`` reserved for an object that was not stored after all.
    func createFailed(_ object: JSONValue, _ context: StrategyContext)
    /// Keeps what an update may not touch, before defaulting and validation.
    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    /// Why an object may never be deleted; nil when it may.
    func refusalToDelete(_ name: String) -> APIStatusError?
    /// How a deletion proceeds for an object without finalizers.
    func deletion(of object: JSONValue, requestedGraceSeconds: Int64?) -> DeletionPlan
    /// Work that follows once the object is stored.
    func afterCreate(_ object: StoredObject, _ operations: ResourceOperations) async
    /// Work that follows once the object is gone.
    func afterRemoval(_ object: StoredObject, _ operations: ResourceOperations) async
}

/// How an object leaves.
enum DeletionPlan: Hashable, Sendable {
    case immediate
    /// The object stays, marked, for its owner to stop what it describes; the owner then deletes it with grace 0.
    case graceful(seconds: Int64)
    /// The object stays until what it contains is gone; its own strategy removes it then.
    case deferred
}

/// What strategies may use of the endpoint.
struct StrategyContext: Sendable {
    let now: Timestamp
    let serviceAddresses: ServiceAddressAllocator
    /// A dry run must leave no trace, such as a reserved address.
    let isDryRun: Bool
    /// Who asked for the change; nil when it is the endpoint's own.
    var requester: Identity? = nil
    let access: AccessControl
    /// Signs what certificate requests ask for; nil where there is no authority.
    var signer: CertificateSigner? = nil
    /// Names and addresses of the endpoint, which no certificate of another may carry.
    var ownNames: Set<String> = []
    /// To look at what a new object refers to.
    let store: ResourceStore
}

extension ResourceStrategy {
    var hasStatus: Bool { false }
    var tracksGeneration: Bool { false }
    var createsOnUpdate: Bool { false }
    var returnsDeletedObject: Bool { false }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {}
    func createFailed(_ object: JSONValue, _ context: StrategyContext) {}
    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {}
    func refusalToDelete(_ name: String) -> APIStatusError? { nil }
    func deletion(of object: JSONValue, requestedGraceSeconds: Int64?) -> DeletionPlan { .immediate }
    func afterCreate(_ object: StoredObject, _ operations: ResourceOperations) async {}
    func afterRemoval(_ object: StoredObject, _ operations: ResourceOperations) async {}
}

/// A kind with nothing of its own.
struct PlainStrategy: ResourceStrategy {
    var hasStatus = false
    var createsOnUpdate = false
}
