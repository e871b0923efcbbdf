/// A report of something that happened to an object (core/v1).
public struct Event: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "", version: "v1", kind: "Event", plural: "events",
            singular: "event", shortNames: ["ev"], namespaced: true, categories: [])
    }

    @APIVersionOf<Event> public var apiVersion: String
    @KindOf<Event> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    /// What the event is about.
    @ZeroIfAbsent public var involvedObject: ObjectReference
    /// One CamelCase word.
    public var reason: String?
    /// One sentence for people.
    public var message: String?
    public var source: EventSource?
    public var firstTimestamp: Timestamp?
    public var lastTimestamp: Timestamp?
    /// How often the same thing was seen between the two timestamps.
    public var count: Int32?
    /// `Normal` or `Warning`.
    public var type: String?
    /// When it was first seen, for events of the newer API.
    public var eventTime: MicroTimestamp?
    public var series: EventSeries?
    /// What was done about it.
    public var action: String?
    public var related: ObjectReference?
    /// The controller's name, such as `kubelet`.
    @ZeroIfAbsent public var reportingComponent: String
    /// The controller's instance, such as the node's name.
    @ZeroIfAbsent public var reportingInstance: String

    public init(
        metadata: ObjectMeta = ObjectMeta(), involvedObject: ObjectReference = ObjectReference(),
        reason: String? = nil, message: String? = nil, source: EventSource? = nil, firstTimestamp: Timestamp? = nil,
        lastTimestamp: Timestamp? = nil, count: Int32? = nil, type: String? = nil, eventTime: MicroTimestamp? = nil,
        series: EventSeries? = nil, action: String? = nil, related: ObjectReference? = nil,
        reportingComponent: String = "", reportingInstance: String = ""
    ) {
        self.metadata = metadata
        self.involvedObject = involvedObject
        self.reason = reason
        self.message = message
        self.source = source
        self.firstTimestamp = firstTimestamp
        self.lastTimestamp = lastTimestamp
        self.count = count
        self.type = type
        self.eventTime = eventTime
        self.series = series
        self.action = action
        self.related = related
        self.reportingComponent = reportingComponent
        self.reportingInstance = reportingInstance
    }
}

/// The component an ``Event`` comes from.
public struct EventSource: Codable, Hashable, Sendable {
    public var component: String?
    public var host: String?

    public init(component: String? = nil, host: String? = nil) {
        self.component = component
        self.host = host
    }
}

/// A running series of the same event.
public struct EventSeries: Codable, Hashable, Sendable {
    public var count: Int32?
    public var lastObservedTime: MicroTimestamp?

    public init(count: Int32? = nil, lastObservedTime: MicroTimestamp? = nil) {
        self.count = count
        self.lastObservedTime = lastObservedTime
    }
}

/// The values of ``Event/type``.
public enum EventType: String, CaseIterable, Sendable {
    case normal = "Normal"
    case warning = "Warning"
}
