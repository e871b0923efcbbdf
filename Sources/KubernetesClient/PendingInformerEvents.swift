import KubernetesAPI

/// What a reader has not read yet, folded so that it never holds more than one change per object and its predecessor.
struct PendingInformerEvents<T: KubernetesResource> {
    private enum Token: Hashable {
        case object(ObjectKey)
        case unreadable(ObjectKey?)
        case initialListDone
    }

    private struct Change {
        /// An earlier object of the same name whose end is still to be told.
        var deletedBefore: T?
        var old: T?
        /// Nil when the change ends with a deletion, told as `old`.
        var new: T?
    }

    private var order: [Token] = []
    private var head = 0
    private var changes: [ObjectKey: Change] = [:]
    private var unreadable: [ObjectKey?: UndecodableObject] = [:]

    /// Number of tokens waiting.
    var count: Int { order.count - head }

    mutating func append(_ event: InformerEvent<T>) {
        switch event {
        case .initialListDone:
            order.append(.initialListDone)
        case .undecodable(let object):
            if unreadable.updateValue(object, forKey: object.key) == nil { order.append(.unreadable(object.key)) }
        case .applied(let old, let new):
            let key = ObjectKey(new.metadata)
            guard var change = changes[key] else {
                changes[key] = Change(old: old, new: new)
                order.append(.object(key))
                return
            }
            if change.new == nil {
                // Deleted and made again before the reader came: both are told.
                change.deletedBefore = change.deletedBefore ?? change.old
                change.old = nil
            }
            change.new = new
            changes[key] = change
        case .deleted(let last):
            let key = ObjectKey(last.metadata)
            guard var change = changes[key] else {
                changes[key] = Change(old: last)
                order.append(.object(key))
                return
            }
            change.old = last
            change.new = nil
            changes[key] = change
        }
    }

    /// The oldest event, or nil.
    mutating func popFirst() -> InformerEvent<T>? {
        while head < order.count {
            let token = order[head]
            switch token {
            case .initialListDone:
                advance()
                return .initialListDone
            case .unreadable(let key):
                advance()
                if let object = unreadable.removeValue(forKey: key) { return .undecodable(object) }
            case .object(let key):
                if let before = changes[key]?.deletedBefore {
                    changes[key]?.deletedBefore = nil
                    return .deleted(before)
                }
                advance()
                guard let change = changes.removeValue(forKey: key) else { continue }
                if let new = change.new { return .applied(old: change.old, new: new) }
                if let last = change.old { return .deleted(last) }
            }
        }
        return nil
    }

    private mutating func advance() {
        head += 1
        // Paid for by the tokens read since the last time.
        guard head > 64, head * 2 > order.count else { return }
        order.removeFirst(head)
        head = 0
    }
}
