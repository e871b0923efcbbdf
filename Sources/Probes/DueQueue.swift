/// Elements by the time they are due, earliest first: a binary heap.
struct DueQueue<Element: Sendable>: Sendable {
    private var heap: [(due: Duration, element: Element)] = []

    var count: Int { heap.count }
    var earliest: Duration? { heap.first?.due }

    mutating func push(_ element: Element, due: Duration) {
        heap.append((due, element))
        var index = heap.count - 1
        while index > 0, heap[index].due < heap[(index - 1) / 2].due {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// The earliest element, if it is due.
    mutating func popDue(now: Duration) -> Element? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return first.element
    }

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    private mutating func siftDown() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].due < heap[least].due {
                least = child
            }
            if least == index { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
