internal import KubernetesAPI

/// Decides a batch of writes, one after the other, each seeing those before it. Pure: nothing is stored yet.
struct StagedBatch {
    private(set) var resourceVersion: Int64
    private(set) var events: [StoreEvent] = []
    private(set) var rows: [ObjectDatabase.Row] = []
    /// The newest state of keys this batch touches; nil inside means removed.
    private var overlay: [ObjectKey: StoredObject?] = [:]

    /// On a full disk: why a write that makes the store larger is refused.
    private let shortage: StoreError?

    /// What a write may add on a full disk, in bytes: a status, an event, the mark of a deletion.
    static let shortageAllowance = 16 << 10

    init(resourceVersion: Int64, shortage: StoreError? = nil) {
        self.resourceVersion = resourceVersion
        self.shortage = shortage
    }

    mutating func apply(
        _ change: ResourceStore.Change, to key: ObjectKey, expecting expectation: ResourceStore.Expectation,
        current lookup: (ObjectKey) -> StoredObject?
    ) -> Result<StoredObject, ResourceStore.Refusal> {
        let previous = overlay[key] ?? lookup(key)
        switch (expectation, previous) {
        case (.absent, .some): return .failure(.exists)
        case (.version, .none): return .failure(.missing)
        case (.version(let version), .some(let object)) where object.resourceVersion != version:
            return .failure(.changed)
        case (.absent, .none), (.version, .some): break
        }
        resourceVersion += 1
        switch change {
        case .put(let value):
            let object = StoredObject(key: key, resourceVersion: resourceVersion, value: value)
            if let shortage, object.json.count > (previous?.json.count ?? 0) + Self.shortageAllowance {
                resourceVersion -= 1
                return .failure(.failed(shortage))
            }
            overlay[key] = .some(object)
            rows.append(.put(object))
            events.append(StoreEvent(kind: previous == nil ? .added : .modified, object: object, previous: previous))
            return .success(object)
        case .delete:
            guard let previous else { return .failure(.missing) }
            let last = StoredObject(key: key, resourceVersion: resourceVersion, value: previous.value)
            overlay[key] = .some(nil)
            rows.append(.remove(key))
            events.append(StoreEvent(kind: .deleted, object: last, previous: previous))
            return .success(last)
        }
    }
}
