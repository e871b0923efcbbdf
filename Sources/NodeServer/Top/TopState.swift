/// What `swiftlet top` shows: the last readings and the rates between them. Pure.
public struct TopState: Sendable {
    public enum Order: String, Sendable, CaseIterable {
        case cpu, memory
    }

    /// What happens in a second, from two readings.
    public struct Rates: Hashable, Sendable {
        /// Billionths of a core.
        public var nanoCores: Int64?
        public var readBytes: Int64?
        public var writtenBytes: Int64?
        public var receivedBytes: Int64?
        public var sentBytes: Int64?

        init(from old: TopReading.Figures?, to new: TopReading.Figures, nanoseconds: Int64) {
            guard let old, nanoseconds > 0 else { return }
            func rate(_ key: KeyPath<TopReading.Figures, Int64?>) -> Int64? {
                guard let before = old[keyPath: key], let after = new[keyPath: key], after >= before else { return nil }
                return Int64(Double(after - before) * 1e9 / Double(nanoseconds))
            }
            nanoCores = rate(\.cpuNanoseconds)
            readBytes = rate(\.readBytes)
            writtenBytes = rate(\.writtenBytes)
            receivedBytes = rate(\.receivedBytes)
            sentBytes = rate(\.sentBytes)
        }
    }

    /// A pod, or a container of a pod that has several.
    public struct Row: Hashable, Sendable {
        public var id: String
        public var namespace: String
        public var pod: String
        /// Empty in the row of the pod itself.
        public var container: String
        public var figures: TopReading.Figures
        public var rates: Rates
    }

    /// Sparklines reach this far back.
    public static let historyLimit = 60

    public var order: Order
    public private(set) var reading: TopReading?
    public private(set) var nodeRates: Rates?
    public private(set) var rows: [Row] = []
    /// CPU in billionths of a core, oldest first, by row; the node's under the empty name.
    private var cpuHistory: [String: [Int64]] = [:]
    private var memoryHistory: [String: [Int64]] = [:]

    public init(order: Order = .cpu) { self.order = order }

    /// The trend of what rows are ordered by; the node's for the empty name.
    public func history(_ id: String, _ order: Order) -> [Int64] {
        switch order {
        case .cpu: cpuHistory[id] ?? []
        case .memory: memoryHistory[id] ?? []
        }
    }

    /// Takes the next reading.
    public mutating func take(_ next: TopReading) {
        let elapsed = next.nanoseconds - (reading?.nanoseconds ?? next.nanoseconds)
        // The same reading again, shared with another client, says nothing new.
        if reading != nil, elapsed <= 0 { return }
        let oldPods = Dictionary((reading?.pods ?? []).map { ($0.uid, $0) }) { first, _ in first }
        let old = reading
        nodeRates = Rates(from: old?.node, to: next.node, nanoseconds: elapsed)
        var rows: [Row] = []
        for pod in next.pods {
            let before = oldPods[pod.uid]
            rows.append(
                Row(
                    id: pod.uid, namespace: pod.namespace, pod: pod.name,
                    container: pod.containers.count == 1 ? pod.containers[0].name : "", figures: pod.figures,
                    rates: Rates(from: before?.figures, to: pod.figures, nanoseconds: elapsed)))
            guard pod.containers.count > 1 else { continue }
            for container in pod.containers {
                let earlier = before?.containers.first { $0.id == container.id }
                rows.append(
                    Row(
                        id: container.id, namespace: pod.namespace, pod: pod.name, container: container.name,
                        figures: container.figures,
                        rates: Rates(from: earlier?.figures, to: container.figures, nanoseconds: elapsed)))
            }
        }
        self.rows = rows
        reading = next
        if old != nil { remember() }
    }

    private mutating func remember() {
        guard let reading else { return }
        var known: Set<String> = [""]
        func add(_ value: Int64?, _ id: String, _ history: inout [String: [Int64]]) {
            history[id, default: []].append(value ?? 0)
            if history[id, default: []].count > Self.historyLimit { history[id]?.removeFirst() }
        }
        add(nodeRates?.nanoCores, "", &cpuHistory)
        add(reading.node.memoryBytes, "", &memoryHistory)
        for row in rows {
            known.insert(row.id)
            add(row.rates.nanoCores, row.id, &cpuHistory)
            add(row.figures.memoryBytes, row.id, &memoryHistory)
        }
        cpuHistory = cpuHistory.filter { known.contains($0.key) }
        memoryHistory = memoryHistory.filter { known.contains($0.key) }
    }

    /// Pods by what is asked for, the largest first, each followed by its containers, likewise.
    public var orderedRows: [Row] {
        func value(_ row: Row) -> Int64 {
            switch order {
            case .cpu: row.rates.nanoCores ?? -1
            case .memory: row.figures.memoryBytes ?? -1
            }
        }
        func precedes(_ left: Row, _ right: Row) -> Bool {
            let (first, second) = (value(left), value(right))
            if first != second { return first > second }
            return (left.namespace, left.pod, left.container) < (right.namespace, right.pod, right.container)
        }
        let groups = Dictionary(grouping: rows) { $0.namespace + "/" + $0.pod }
        // The pod's own row is the first of its group.
        return groups.values.sorted { precedes($0[0], $1[0]) }
            .flatMap { group in [group[0]] + group.dropFirst().sorted(by: precedes) }
    }
}
