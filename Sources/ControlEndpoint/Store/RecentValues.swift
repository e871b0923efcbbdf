internal import NIOCore

/// The objects written last, whose values are kept beside their JSON: what is written is most often read, filtered and
/// written again at once.
struct RecentValues: Sendable {
    /// Bytes of JSON of the objects that keep their values; as values they take some eight times as much.
    static let byteLimit = 256 << 10

    private var objects = CircularBuffer<StoredObject>()
    private var bytes = 0
    private let limit: Int

    init(limit: Int = RecentValues.byteLimit) {
        self.limit = limit
    }

    /// The newest; the oldest let go of theirs.
    mutating func add(_ object: StoredObject) {
        objects.append(object)
        bytes += object.json.count
        while bytes > limit, let oldest = objects.popFirst() {
            bytes -= oldest.json.count
            oldest.forgetValue()
        }
    }
}
