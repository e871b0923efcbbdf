internal import KubernetesAPI
internal import Logging

/// Certificate requests are answered once; what is left of them goes.
extension ResourceOperations {
    /// An answer can be fetched for an hour.
    private static var answeredSeconds: Int64 { 3600 }
    /// One that nobody answers within a day is forgotten.
    private static var pendingSeconds: Int64 { 24 * 3600 }

    func removeOldCertificateRequests() async {
        let time = now.seconds
        let old = store.list(CertificateRequestStrategy.id).objects.filter { Self.isOver($0.value, at: time) }
        await inBatches(old) { [self] request in
            do throws(APIStatusError) {
                _ = try await write(request.key, expecting: .version(request.resourceVersion), .delete)
            } catch {
                logger.debug(
                    "old certificate request kept",
                    metadata: ["name": "\(request.key.name)", "reason": "\(error.message)"])
            }
        }
    }

    /// - Parameter time: seconds since 1970.
    static func isOver(_ request: JSONValue, at time: Int64) -> Bool {
        let made = Timestamp(rfc3339: request.string("metadata", "creationTimestamp"))?.seconds ?? time
        let answered = request.list("status", "conditions").compactMap { condition -> Int64? in
            guard ["Approved", "Denied", "Failed"].contains(condition.string("type")) else { return nil }
            return Timestamp(rfc3339: condition.string("lastUpdateTime"))?.seconds ?? made
        }
        if let last = answered.max() { return time - last > answeredSeconds }
        return time - made > pendingSeconds
    }
}
