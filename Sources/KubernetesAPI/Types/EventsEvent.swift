/// An ``Event`` as the group events.k8s.io shows it: the same objects under other names.
public struct EventsEvent: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "events.k8s.io", version: "v1", kind: "Event", plural: "events", shortNames: ["ev"],
            namespaced: true)
    }

    @APIVersionOf<EventsEvent> public var apiVersion: String
    @KindOf<EventsEvent> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    /// When it was first seen.
    public var eventTime: MicroTimestamp?
    public var series: EventSeries?
    public var reportingController: String?
    public var reportingInstance: String?
    /// What was done about it.
    public var action: String?
    /// One CamelCase word.
    public var reason: String?
    /// What the event is about.
    public var regarding: ObjectReference?
    public var related: ObjectReference?
    /// One sentence for people.
    public var note: String?
    /// `Normal` or `Warning`.
    public var type: String?
    public var deprecatedSource: EventSource?
    public var deprecatedFirstTimestamp: Timestamp?
    public var deprecatedLastTimestamp: Timestamp?
    public var deprecatedCount: Int32?

    public init() {}
}
