public import KubernetesAPI

/// One thing that happened to a pod, or several equal ones.
public struct PodTimelineEntry: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// What the node told the API as an event.
        case event
        case started
        case ended
        /// A container cannot be started for the time being.
        case waits
        /// Phase, readiness or deletion of the pod.
        case pod
        /// The agent, or the machine, came or went.
        case agent
    }

    /// Reasons of ``Kind/agent``.
    static let agentStarted = "AgentStarted"
    static let machineStarted = "MachineStarted"
    static let nodeStopped = "NodeStopped"
    /// Reasons of ``Kind/pod``, beside the phases.
    static let deleting = "Deleting"
    static let ready = "Ready"
    static let notReady = "NotReady"

    /// Bytes of a message: that of an event in the API.
    static let messageLimit = 1024
    /// Bytes of any other text.
    static let wordLimit = 256

    public var kind: Kind
    /// One word in UpperCamelCase.
    public var reason: String
    public var message: String
    public var container: String?
    public var isWarning: Bool
    /// Of `ended`: what ended it, when it was not the program itself.
    public var killedBy: KillSource?
    /// The newest instance of the container this is about, or the boot an `agent` entry belongs to.
    public var instance: String?
    public var first: Timestamp
    public var last: Timestamp
    public var count: Int64

    public init(
        _ kind: Kind, reason: String, message: String = "", container: String? = nil, isWarning: Bool = false,
        killedBy: KillSource? = nil, instance: String? = nil, at time: Timestamp
    ) {
        self.kind = kind
        self.reason = Self.bounded(reason, Self.wordLimit)
        self.message = Self.bounded(message, Self.messageLimit)
        self.container = container.map { Self.bounded($0, Self.wordLimit) }
        self.isWarning = isWarning
        self.killedBy = killedBy
        self.instance = instance.map { Self.bounded($0, Self.wordLimit) }
        first = time
        last = time
        count = 1
    }

    private static func bounded(_ text: String, _ limit: Int) -> String {
        text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    }

    /// Whether the other is the same thing once more.
    func isRepetition(of other: PodTimelineEntry) -> Bool {
        kind == other.kind && reason == other.reason && message == other.message && container == other.container
            && isWarning == other.isWarning && killedBy == other.killedBy
    }
}

extension PodTimelineEntry {
    public var json: JSONValue {
        var value: JSONValue = [
            "kind": .string(kind.rawValue), "reason": .string(reason), "first": .string(first.rfc3339Nano),
            "last": .string(last.rfc3339Nano), "count": .integer(count),
        ]
        if !message.isEmpty { value["message"] = .string(message) }
        if let container { value["container"] = .string(container) }
        if isWarning { value["warning"] = true }
        if let killedBy { value["killedBy"] = .string(killedBy.rawValue) }
        if let instance { value["instance"] = .string(instance) }
        return value
    }

    /// nil for anything that is no entry.
    init?(_ json: JSONValue) {
        guard let kind = json["kind"]?.stringValue.flatMap(Kind.init), let reason = json["reason"]?.stringValue,
            let first = json["first"]?.stringValue.flatMap(Timestamp.init(rfc3339:)),
            let last = json["last"]?.stringValue.flatMap(Timestamp.init(rfc3339:)),
            let count = json["count"]?.intValue, count > 0
        else { return nil }
        self.init(
            kind, reason: reason, message: json["message"]?.stringValue ?? "",
            container: json["container"]?.stringValue, isWarning: json["warning"]?.boolValue ?? false,
            killedBy: json["killedBy"]?.stringValue.flatMap(KillSource.init), instance: json["instance"]?.stringValue,
            at: last)
        self.first = first
        self.count = count
    }
}
