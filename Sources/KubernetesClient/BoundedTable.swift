/// A dictionary that forgets what was written longest ago rather than grow past its limit.
struct BoundedTable<Key: Hashable, Value> {
    private var entries: [Key: (value: Value, written: UInt64)] = [:]
    private var writes: UInt64 = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { entries.count }

    subscript(key: Key) -> Value? {
        get { entries[key]?.value }
        set {
            guard let newValue else {
                entries[key] = nil
                return
            }
            writes += 1
            entries[key] = (newValue, writes)
            // Half at once, so that the sort is paid for by the writes that filled the half.
            guard entries.count > limit else { return }
            for (key, _) in entries.sorted(by: { $0.value.written < $1.value.written }).prefix(limit / 2) {
                entries[key] = nil
            }
        }
    }
}
