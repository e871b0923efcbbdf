/// What will happen, by time: a heap of callbacks. Time stands still while anything else can be done.
final class Timeline {
    struct Token: Hashable { let number: UInt64 }

    private struct Entry {
        let due: Duration
        let order: UInt64
        let number: UInt64
    }

    private(set) var now: Duration = .zero
    private var heap: [Entry] = []
    private var bodies: [UInt64: () -> Void] = [:]
    private var counter: UInt64 = 0

    var next: Duration? {
        dropCancelled()
        return heap.first?.due
    }

    /// - Parameter order: among callbacks of one instant, lower comes first; usually drawn at random.
    @discardableResult
    func at(_ due: Duration, order: UInt64 = 0, _ body: @escaping () -> Void) -> Token {
        counter += 1
        bodies[counter] = body
        push(Entry(due: max(due, now), order: order, number: counter))
        return Token(number: counter)
    }

    @discardableResult
    func after(_ delay: Duration, order: UInt64 = 0, _ body: @escaping () -> Void) -> Token {
        at(now + max(.zero, delay), order: order, body)
    }

    func cancel(_ token: Token) { bodies[token.number] = nil }

    /// Moves to the earliest callback and runs it.
    func advance() {
        dropCancelled()
        guard let entry = popFirst() else { return }
        now = max(now, entry.due)
        bodies.removeValue(forKey: entry.number)?()
    }

    func jump(to time: Duration) { now = max(now, time) }

    private func dropCancelled() {
        while let first = heap.first, bodies[first.number] == nil { _ = popFirst() }
    }

    private static func isBefore(_ one: Entry, _ other: Entry) -> Bool {
        if one.due != other.due { return one.due < other.due }
        return one.order != other.order ? one.order < other.order : one.number < other.number
    }

    private func push(_ entry: Entry) {
        heap.append(entry)
        var index = heap.count - 1
        while index > 0, Self.isBefore(heap[index], heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private func popFirst() -> Entry? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heap.count && Self.isBefore(heap[child], heap[least]) {
                least = child
            }
            if least == index { return first }
            heap.swapAt(index, least)
            index = least
        }
    }
}
