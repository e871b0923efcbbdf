public import KubernetesAPI

/// Says of one pod what happened to it and what it waits for now: the answer first, then its containers, then its timeline. Pure.
public struct WhyReport: Hashable, Sendable {
    public enum State: String, Sendable {
        case ready, starting, waiting, notReady, succeeded, failed, deleting, gone
    }

    public struct ContainerLine: Hashable, Sendable {
        public var name: String
        /// `init` or empty.
        public var kind: String
        public var text: String
    }

    public var namespace: String
    public var pod: String
    public var uid: String
    public var state: State
    /// One sentence, beginning with the pod's name.
    public var answer: String
    public var containers: [ContainerLine]
    /// Oldest first.
    public var timeline: [PodTimelineEntry]
    public var now: Timestamp

    /// Of a pod on this node.
    ///
    /// - Parameter nextTries: how long until each waiting container is tried again, as far as time decides that.
    public init(_ pod: Pod, timeline: [PodTimelineEntry], nextTries: [String: Duration] = [:], now: Timestamp) {
        namespace = pod.metadata.namespace ?? ""
        self.pod = pod.metadata.name ?? ""
        uid = pod.metadata.uid ?? ""
        self.now = now
        self.timeline = Self.sorted(timeline)
        let reader = WhyReader(pod, timeline: self.timeline, nextTries: nextTries, now: now)
        let (state, answer) = reader.answer()
        self.state = state
        self.answer = "\(self.pod) \(answer)"
        containers = reader.containerLines()
    }

    /// Of a pod that is gone.
    public init(_ gone: PodTimelineStore.Gone, now: Timestamp) {
        namespace = gone.pod.namespace
        pod = gone.pod.name
        uid = gone.pod.uid
        self.now = now
        timeline = Self.sorted(gone.entries)
        state = .gone
        let isDeleted = timeline.contains { $0.kind == .pod && $0.reason == PodTimelineEntry.deleting }
        let ago = RelativeTime.ago(gone.goneAt, now: now)
        answer =
            "\(pod) is gone from this node: "
            + (isDeleted ? "it was deleted \(ago)" : "it was removed from where it came from \(ago)")
        if let end = timeline.last(where: { $0.kind == .ended }) {
            answer += "; the last to end was container \(end.container ?? ""), \(end.message)"
        }
        containers = []
    }

    /// By the time of the newest of each: what happened while no agent ran is told later than it happened.
    private static func sorted(_ entries: [PodTimelineEntry]) -> [PodTimelineEntry] {
        // Times of containers are whole seconds: within one second the order of telling counts.
        entries.enumerated().sorted { ($0.element.last.seconds, $0.offset) < ($1.element.last.seconds, $1.offset) }
            .map(\.element)
    }
}

extension WhyReport {
    public var json: JSONValue {
        [
            "namespace": .string(namespace), "pod": .string(pod), "uid": .string(uid),
            "state": .string(state.rawValue), "answer": .string(answer),
            "containers": .array(
                containers.map { ["name": .string($0.name), "kind": .string($0.kind), "text": .string($0.text)] }),
            "timeline": .array(timeline.map(\.json)),
        ]
    }

    /// For a terminal: what programs have written is shown without control characters.
    public var text: String {
        var lines = [answer, ""]
        let width = containers.map(\.name.count).max() ?? 0
        for container in containers {
            let name = container.name + String(repeating: " ", count: width - container.name.count)
            let kind = container.kind.isEmpty ? "" : "(\(container.kind)) "
            lines.append("  \(name)  \(kind)\(container.text)")
        }
        if !containers.isEmpty { lines.append("") }
        lines += timeline.isEmpty ? ["Nothing is known of its past."] : timelineLines
        return lines.map { Self.printable($0) + "\n" }.joined()
    }

    private var timelineLines: [String] {
        let rows = timeline.map { entry in
            [
                entry.last.rfc3339, RelativeTime.ago(entry.last, now: now), entry.container ?? "-",
                (entry.isWarning ? "! " : "  ") + Self.text(of: entry),
            ]
        }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                column < 3 ? cell + String(repeating: " ", count: widths[column] - cell.count) : cell
            }.joined(separator: "  ")
        }
    }

    static func text(of entry: PodTimelineEntry) -> String {
        var text =
            switch entry.kind {
            case .event: entry.message.isEmpty ? entry.reason : "\(entry.reason): \(entry.message)"
            case .started: "started"
            case .ended: "ended with \(entry.message)" + (entry.killedBy.map { ", ended by \($0.text)" } ?? "")
            case .waits: "waits: \(entry.reason)" + (entry.message.isEmpty ? "" : ": \(entry.message)")
            case .pod: Self.words(of: entry)
            case .agent: entry.message
            }
        if entry.count > 1 {
            let span = RelativeTime.text(entry.last.since(entry.first))
            text += " (\(entry.count) times in \(span))"
        }
        return text
    }

    private static func words(of entry: PodTimelineEntry) -> String {
        let tail = entry.message.isEmpty ? "" : ": \(entry.message)"
        return switch entry.reason {
        case PodTimelineEntry.ready: "the pod is ready" + tail
        case PodTimelineEntry.notReady: "the pod is not ready" + tail
        case PodTimelineEntry.deleting: "the pod is asked to go" + (tail.isEmpty ? "" : " \(entry.message)")
        default: "the pod's phase is \(entry.reason)" + tail
        }
    }

    private static func printable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            scalars.append(isControl ? " " : scalar)
        }
        return String(scalars)
    }
}
