internal import KubernetesAPI
internal import NIOCore

/// Turns store events into the lines of one watch: filtered, in the client's form, with transitions across the selector
/// shown as additions and deletions.
struct WatchEncoder: Sendable {
    private let filter: ObjectFilter
    private let form: Representation
    private let resource: RegisteredResource
    private let include: TableLayout.IncludeObject
    private let clock: @Sendable () -> Timestamp
    /// Only the first row of a watched table carries the columns.
    private var hasSentColumns = false

    init(
        filter: ObjectFilter, form: Representation, resource: RegisteredResource, include: TableLayout.IncludeObject,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.filter = filter
        self.form = form
        self.resource = resource
        self.include = include
        self.clock = clock
    }

    /// An object that exists when the watch begins.
    mutating func initial(_ object: StoredObject, into buffer: inout ByteBuffer) {
        let object = resource.view?.shown(object) ?? object
        if filter.matches(object) { write("ADDED", object, into: &buffer) }
    }

    mutating func event(_ event: StoreEvent, into buffer: inout ByteBuffer) {
        let event = resource.view?.shown(event) ?? event
        let matches = event.kind != .deleted && filter.matches(event.object)
        let matched = event.previous.map(filter.matches) ?? false
        switch (matches, matched) {
        case (true, true): write("MODIFIED", event.object, into: &buffer)
        case (true, false): write("ADDED", event.object, into: &buffer)
        case (false, true): write("DELETED", lastSeen(event), into: &buffer)
        case (false, false): break
        }
    }

    /// What left the selection: the state the client knew, at the version of the change.
    private func lastSeen(_ event: StoreEvent) -> StoredObject {
        guard event.kind != .deleted, let previous = event.previous else { return event.object }
        return StoredObject(key: previous.key, resourceVersion: event.resourceVersion, value: previous.value)
    }

    func bookmark(_ version: Int64, endsInitialEvents: Bool, into buffer: inout ByteBuffer) {
        var metadata: [String: JSONValue] = ["resourceVersion": .string(String(version)), "creationTimestamp": nil]
        if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        let object: JSONValue
        switch form.form {
        case .object:
            object = [
                "kind": .string(resource.definition.kind), "apiVersion": .string(resource.definition.apiVersion),
                "metadata": .object(metadata),
            ]
        case .partialMetadata(let form):
            object = PartialMetadata.of(["metadata": .object(metadata)], version: form)
        case .table(let form):
            let empty: JSONValue = ["metadata": .object(metadata)]
            object = resource.table.table(
                of: [empty], version: form, listMetadata: .object(metadata), include: .metadata, now: clock(),
                withColumns: false)
        }
        write("BOOKMARK", object.serialized(), into: &buffer)
    }

    static func failure(_ error: APIStatusError, into buffer: inout ByteBuffer) {
        buffer.writeString("{\"type\":\"ERROR\",\"object\":")
        buffer.writeBytes(error.body.serialized())
        buffer.writeString("}\n")
    }

    private mutating func write(_ type: String, _ object: StoredObject, into buffer: inout ByteBuffer) {
        switch form.form {
        case .object: write(type, object.json, into: &buffer)
        case .partialMetadata(let version):
            write(type, PartialMetadata.of(object.value, version: version).serialized(), into: &buffer)
        case .table(let version):
            let table = resource.table.table(
                of: [object.value], version: version,
                listMetadata: ["resourceVersion": .string(String(object.resourceVersion))], include: include,
                now: clock(), withColumns: !hasSentColumns)
            hasSentColumns = true
            write(type, table.serialized(), into: &buffer)
        }
    }

    private func write(_ type: String, _ json: [UInt8], into buffer: inout ByteBuffer) {
        buffer.writeString("{\"type\":\"\(type)\",\"object\":")
        buffer.writeBytes(json)
        buffer.writeString("}\n")
    }
}
