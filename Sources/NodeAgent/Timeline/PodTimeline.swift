import KubernetesAPI

/// What happened to one pod, oldest first, in bounded space. Pure.
///
/// Equal entries that follow each other within ``mergeWindow`` are counted and move to the end: a container that crashes for days
/// has a timeline of a few lines.
public struct PodTimeline: Hashable, Sendable {
    public static let limit = 128
    /// Longer than the longest back-off (300 s), so that a crash loop at its slowest is still one thing.
    static let mergeWindow = Duration.seconds(900)

    public private(set) var entries: [PodTimelineEntry] = []

    public init() {}

    /// - Parameter isDeleting: the pod had been asked to go by then.
    /// - Returns: the entry as it is to be kept; nil when it was known already.
    @discardableResult
    public mutating func add(_ entry: PodTimelineEntry, isDeleting: Bool = false) -> PodTimelineEntry? {
        if isKnown(entry) { return nil }
        if completesStart(entry) { return nil }
        var entry = entry
        if entry.kind == .ended, entry.killedBy == nil, let container = entry.container {
            entry.killedBy = KillSource.infer(
                container, reason: entry.reason, after: entries, isDeleting: isDeleting)
        }
        let kept = entry
        if let index = entries.lastIndex(where: entry.isRepetition),
            abs(entry.first.since(entries[index].last)) <= Self.mergeWindow
        {
            let earlier = entries.remove(at: index)
            let (sum, overflow) = earlier.count.addingReportingOverflow(entry.count)
            entry.count = overflow ? .max : sum
            entry.first = min(earlier.first, entry.first)
            // A start without an instance is of a new one, which its state will name.
            if entry.kind != .started { entry.instance = entry.instance ?? earlier.instance }
        }
        entries.append(entry)
        if entries.count > Self.limit { entries.removeFirst(entries.count - Self.limit) }
        return kept
    }

    /// The newest entry of a kind.
    public func newest(_ kind: PodTimelineEntry.Kind, of container: String? = nil) -> PodTimelineEntry? {
        entries.last { $0.kind == kind && (container == nil || $0.container == container) }
    }

    /// An instance starts once and ends once, and a state is entered once, however often that is looked at.
    private func isKnown(_ entry: PodTimelineEntry) -> Bool {
        if entry.kind == .pod {
            let newest = entries.last { $0.kind == .pod && $0.aspect == entry.aspect }
            return newest?.reason == entry.reason && newest?.message == entry.message
        }
        guard entry.kind == .started || entry.kind == .ended, let instance = entry.instance else { return false }
        return entries.contains { $0.kind == entry.kind && $0.container == entry.container && $0.instance == instance }
    }

    /// The event of a start comes first, and knows no instance; the state that shows it is no second start.
    private mutating func completesStart(_ entry: PodTimelineEntry) -> Bool {
        guard entry.kind == .started, let instance = entry.instance,
            let index = entries.lastIndex(where: { $0.kind == .started && $0.container == entry.container }),
            entries[index].instance == nil
        else { return false }
        entries[index].instance = instance
        return true
    }

    private func abs(_ duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }
}

extension PodTimelineEntry {
    fileprivate enum Aspect { case phase, readiness, deletion }

    /// Of ``Kind/pod``: what of the pod it is about.
    fileprivate var aspect: Aspect {
        switch reason {
        case Self.ready, Self.notReady: .readiness
        case Self.deleting: .deletion
        // A phase's name.
        default: .phase
        }
    }
}
