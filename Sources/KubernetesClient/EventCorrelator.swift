import KubernetesAPI

/// Something to tell about an object.
struct EventObservation: Hashable, Sendable {
    var object: ObjectReference
    var type: EventType
    var reason: String
    var message: String
    var annotations: [String: String] = [:]
}

/// What to send to the API server for one observation.
enum EventWrite: Hashable, Sendable {
    case create(Event)
    /// The event exists already: raise its count and move its last time.
    case patch(Event)

    var event: Event {
        switch self {
        case .create(let event), .patch(let event): event
        }
    }
}

/// Decides which observations become events: repeats raise a count, near-repeats are combined, floods are cut off.
///
/// Pure; `now` is the time since any fixed instant. Figures are those of the client library of Kubernetes.
struct EventCorrelator {
    /// Observations of one object let through at once, and how often one more is.
    static var burst: Double { 25 }
    static var refillInterval: Duration { .seconds(300) }
    /// Different messages for the same reason, within the window, before they are combined.
    static var similarLimit: Int { 10 }
    static var similarWindow: Duration { .seconds(600) }
    /// Keys remembered per table.
    static var tableLimit: Int { 4_096 }
    /// Bytes of a message; the API accepts no more.
    static var messageLimit: Int { 1_024 }

    private struct SimilarKey: Hashable {
        var object: ObjectReference
        var type: EventType
        var reason: String
    }

    private struct ExactKey: Hashable {
        var similar: SimilarKey
        /// Nil for the combined event.
        var message: String?
    }

    private struct Similar {
        var messages = Set<String>()
        var lastSeen: Duration
    }

    private struct Bucket {
        var tokens: Double
        var filledAt: Duration
    }

    private let component: String
    private let host: String
    private var buckets = BoundedTable<ObjectReference, Bucket>(limit: tableLimit)
    private var similar = BoundedTable<SimilarKey, Similar>(limit: tableLimit)
    private var sent = BoundedTable<ExactKey, Event>(limit: tableLimit)
    private var lastNameNumber: UInt64 = 0

    init(component: String, host: String) {
        self.component = component
        self.host = host
    }

    /// Nil when the object has used up its share.
    mutating func observe(_ observation: EventObservation, now: Duration, wall: Timestamp) -> EventWrite? {
        var object = observation.object
        // Two observations of one object at different versions are still about the same thing.
        object.resourceVersion = nil
        let key = SimilarKey(object: object, type: observation.type, reason: observation.reason)
        let combined = isCombined(key, message: observation.message, now: now)
        let exact = ExactKey(similar: key, message: combined ? nil : observation.message)
        let text = Self.truncated(
            combined ? "(combined from similar events): \(observation.message)" : observation.message)
        let write: EventWrite
        if var event = sent[exact] {
            let (count, overflow) = (event.count ?? 1).addingReportingOverflow(1)
            event.count = overflow ? .max : count
            event.message = text
            event.lastTimestamp = wall
            write = .patch(event)
        } else {
            write = .create(makeEvent(observation, message: text, wall: wall))
        }
        sent[exact] = write.event
        object.fieldPath = nil
        return takeToken(object, now: now) ? write : nil
    }

    private mutating func isCombined(_ key: SimilarKey, message: String, now: Duration) -> Bool {
        var record = similar[key] ?? Similar(lastSeen: now)
        if now - record.lastSeen > Self.similarWindow { record.messages = [] }
        record.lastSeen = now
        if record.messages.count <= Self.similarLimit { record.messages.insert(message) }
        similar[key] = record
        return record.messages.count > Self.similarLimit
    }

    private mutating func takeToken(_ object: ObjectReference, now: Duration) -> Bool {
        var bucket = buckets[object] ?? Bucket(tokens: Self.burst, filledAt: now)
        let refilled = (now - bucket.filledAt) / Self.refillInterval
        bucket.tokens = min(Self.burst, bucket.tokens + max(0, refilled))
        bucket.filledAt = max(now, bucket.filledAt)
        let granted = bucket.tokens >= 1
        if granted { bucket.tokens -= 1 }
        buckets[object] = bucket
        return granted
    }

    private mutating func makeEvent(_ observation: EventObservation, message: String, wall: Timestamp) -> Event {
        let object = observation.object
        let namespace = object.namespace ?? ""
        return Event(
            metadata: ObjectMeta(
                name: name(for: object.name ?? "", wall: wall), namespace: namespace.isEmpty ? "default" : namespace,
                annotations: observation.annotations.isEmpty ? nil : observation.annotations),
            involvedObject: object, reason: observation.reason, message: message,
            source: EventSource(component: component, host: host.isEmpty ? nil : host), firstTimestamp: wall,
            lastTimestamp: wall, count: 1, type: observation.type.rawValue, reportingComponent: component,
            reportingInstance: host)
    }

    /// `<object>.<hex>`; the number is the time in nanoseconds, made unique.
    private mutating func name(for object: String, wall: Timestamp) -> String {
        let seconds = UInt64(max(0, wall.seconds))
        let number = seconds &* 1_000_000_000 &+ UInt64(max(0, Int64(wall.nanoseconds)))
        lastNameNumber = max(number, lastNameNumber &+ 1)
        let suffix = String(lastNameNumber, radix: 16)
        // An object name may be as long as an event name may be.
        return "\(object.prefix(252 - suffix.count)).\(suffix)"
    }

    private static func truncated(_ message: String) -> String {
        guard message.utf8.count > messageLimit else { return message }
        var text = Substring(message)
        while text.utf8.count > messageLimit - 3 {
            text = text.prefix(max(0, min(text.count - 1, messageLimit - 3)))
        }
        return "\(text)..."
    }
}
