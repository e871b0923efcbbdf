import ContainerRuntime
import KubernetesAPI
import LinuxKernel

/// CPU in use, in billionths of a core. One reading knows only totals; rates are the difference between two.
public struct UsageRates: Hashable, Sendable {
    /// The time between the two readings.
    public var window: Duration
    public var node: UInt64?
    /// By UID.
    public var pods: [String: UInt64] = [:]
    /// By container ID.
    public var containers: [String: UInt64] = [:]
    /// By path below the node's root.
    public var groups: [String: UInt64] = [:]
    public var agent: UInt64?

    public init(window: Duration = .zero) { self.window = window }
}

/// The readings to measure the next one against. Pure: time comes with the readings.
///
/// What a scraper gets depends neither on other scrapers nor on how often they come: a rate is over the last five seconds
/// or more wherever there is such a reading.
struct UsageHistory: Sendable {
    /// The CPU time totals of one report, in nanoseconds.
    struct Totals: Sendable {
        var time: Timestamp
        var node: UInt64?
        var agent: UInt64?
        var pods: [String: UInt64]
        var containers: [String: UInt64]
        var groups: [String: UInt64]

        init(_ report: UsageReport) {
            time = report.time
            node = report.node.usage.cpuUsageNanoseconds
            agent = report.node.agent?.cpuNanoseconds
            pods = Dictionary(
                report.pods.compactMap { pod in pod.usage.cpuUsageNanoseconds.map { (pod.uid, $0) } },
                uniquingKeysWith: { first, _ in first })
            containers = Dictionary(
                report.pods.flatMap(\.containers)
                    .compactMap { entry in entry.usage.cpuUsageNanoseconds.map { (entry.instance.id, $0) } },
                uniquingKeysWith: { first, _ in first })
            groups = Dictionary(
                report.groups.compactMap { group in group.usage.cpuUsageNanoseconds.map { (group.cgroupPath, $0) } },
                uniquingKeysWith: { first, _ in first })
        }
    }

    /// A shorter time says little: the kernel counts a busy task's time in ticks of up to 10 ms.
    static let shortestWindow = Duration.milliseconds(500)
    /// Long enough to be calm, short enough to be now.
    static let wantedWindow = Duration.seconds(5)
    private static let limit = 4

    /// Oldest first.
    private(set) var readings: [Totals] = []

    /// Rates from the best reading there is, and remembers this one. nil when there is none old enough.
    mutating func rates(of report: UsageReport) -> UsageRates? {
        let now = Totals(report)
        // A clock that was set back makes all that came before worthless.
        readings.removeAll { $0.time > now.time }
        let base =
            readings.last { now.time.since($0.time) >= Self.wantedWindow }
            ?? readings.first { now.time.since($0.time) >= Self.shortestWindow }
        remember(now)
        guard let base else { return nil }
        var rates = Self.rates(from: base, to: now)
        rates.addNew(report, since: base.time)
        return rates
    }

    /// Whether a reading made at `time` would have a rate over no more than `longest`.
    func hasBase(at time: Timestamp, within longest: Duration) -> Bool {
        readings.contains { reading in
            let age = time.since(reading.time)
            return age >= Self.shortestWindow && age <= longest
        }
    }

    private mutating func remember(_ now: Totals) {
        // The newest but one takes its place unless it is far enough from the one before it.
        if readings.count >= 2, let last = readings.last,
            last.time.since(readings[readings.count - 2].time) < Self.wantedWindow,
            now.time.since(readings[readings.count - 2].time) < Self.wantedWindow
        {
            readings.removeLast()
        }
        readings.append(now)
        if readings.count > Self.limit { readings.removeFirst() }
    }

    private static func rates(from old: Totals, to new: Totals) -> UsageRates {
        let window = new.time.since(old.time)
        let seconds = window / .seconds(1)
        func rate(_ old: UInt64?, _ new: UInt64?) -> UInt64? {
            guard let old, let new, new >= old else { return nil }
            return UInt64(Double(new - old) / seconds)
        }
        func rates(_ old: [String: UInt64], _ new: [String: UInt64]) -> [String: UInt64] {
            Dictionary(uniqueKeysWithValues: new.compactMap { key, value in rate(old[key], value).map { (key, $0) } })
        }
        var result = UsageRates(window: window)
        result.node = rate(old.node, new.node)
        result.agent = rate(old.agent, new.agent)
        result.pods = rates(old.pods, new.pods)
        result.containers = rates(old.containers, new.containers)
        result.groups = rates(old.groups, new.groups)
        return result
    }
}

extension UsageRates {
    /// What began after the earlier reading had used nothing then: its rate is over its life.
    fileprivate mutating func addNew(_ report: UsageReport, since base: Timestamp) {
        func rate(_ total: UInt64?, _ startedAt: Timestamp?) -> UInt64? {
            guard let total, let startedAt, startedAt >= base else { return nil }
            let age = report.time.since(startedAt)
            return age >= UsageHistory.shortestWindow ? UInt64(Double(total) / (age / .seconds(1))) : nil
        }
        for pod in report.pods {
            if pods[pod.uid] == nil { pods[pod.uid] = rate(pod.usage.cpuUsageNanoseconds, pod.startedAt) }
            for entry in pod.containers where containers[entry.instance.id] == nil {
                containers[entry.instance.id] = rate(entry.usage.cpuUsageNanoseconds, entry.startedAt)
            }
        }
    }
}
