internal import KubernetesAPI
internal import Logging

/// Events are news, not state: they go after an hour.
extension ResourceOperations {
    private static var eventLifeSeconds: Int64 { 3600 }

    func removeOldEvents() async {
        let horizon = now.seconds - Self.eventLifeSeconds
        let old = store.list(ResourceID(group: "", plural: "events")).objects.filter { event in
            let value = event.value
            let times = [
                value.string("series", "lastObservedTime"), value.string("lastTimestamp"), value.string("eventTime"),
                value.string("metadata", "creationTimestamp"),
            ]
            let last = times.compactMap { Timestamp(rfc3339: $0)?.seconds }.max() ?? 0
            return last < horizon
        }
        await inBatches(old) { [self] event in
            do throws(APIStatusError) {
                _ = try await write(event.key, expecting: .version(event.resourceVersion), .delete)
            } catch {
                // It changed meanwhile, so it is news again; or the disk is full, and the next sweep tries again.
                logger.debug("old event kept", metadata: ["event": "\(event.key)", "reason": "\(error.message)"])
            }
        }
    }
}
