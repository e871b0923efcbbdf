/// Lists that clients are reading in pages. A few, the oldest going first: a client that waited too long lists again.
struct ContinuationSnapshots: Sendable {
    /// Lists kept. Objects are shared with the tables, so a list costs one pointer per object until they change.
    static let limit = 16

    private struct Entry: Sendable {
        let resource: ResourceID
        let version: Int64
        let objects: [StoredObject]
    }

    private var entries: [Entry] = []

    mutating func keep(_ objects: [StoredObject], version: Int64) {
        guard let resource = objects.first?.key.resource, find(resource, version: version) == nil else { return }
        entries.append(Entry(resource: resource, version: version, objects: objects))
        if entries.count > Self.limit { entries.removeFirst() }
    }

    func find(_ resource: ResourceID, version: Int64) -> [StoredObject]? {
        entries.last { $0.resource == resource && $0.version == version }?.objects
    }
}
