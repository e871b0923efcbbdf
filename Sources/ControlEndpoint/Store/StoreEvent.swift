/// One change of one object, as the store recorded it.
final class StoreEvent: Sendable {
    enum Kind: Sendable { case added, modified, deleted }

    let kind: Kind
    /// The object after the change; for a deletion its last state, stamped with the version of the deletion.
    let object: StoredObject
    /// The object before the change; nil when it was added.
    let previous: StoredObject?

    init(kind: Kind, object: StoredObject, previous: StoredObject?) {
        self.kind = kind
        self.object = object
        self.previous = previous
    }

    var resourceVersion: Int64 { object.resourceVersion }
}

/// What a watcher is sent.
enum WatchMessage: Sendable {
    case event(StoreEvent)
    /// Every change up to this version has been sent.
    case bookmark(resourceVersion: Int64)
}
