public import KubernetesAPI

/// Where events are written to.
public protocol EventSink: Sendable {
    func createEvent(_ event: Event) async throws(APIError)
    /// Changes count, last time and message of an event written before.
    func patchEvent(_ event: Event) async throws(APIError)
}

extension APIClient: EventSink {
    public func createEvent(_ event: Event) async throws(APIError) {
        _ = try await create(event)
    }

    public func patchEvent(_ event: Event) async throws(APIError) {
        var body: JSONValue = ["count": .integer(Int64(event.count ?? 1)), "message": .string(event.message ?? "")]
        if let last = event.lastTimestamp { body["lastTimestamp"] = .string(last.rfc3339) }
        _ = try await patch(
            Event.self, namespace: event.metadata.namespace, name: event.metadata.name ?? "", type: .strategicMerge,
            body: body)
    }
}
