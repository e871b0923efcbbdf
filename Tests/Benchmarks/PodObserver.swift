import KubernetesAPI
import KubernetesClient

/// Watches the pods as any client may, and notes when it saw what. Times are nanoseconds since the epoch.
actor PodObserver {
    struct Sightings: Sendable {
        var bound: Int64?
        var running: Int64?
        /// Its container, running again after an end.
        var restarted: Int64?
        var gone: Int64?
        /// Each change of its condition Ready, which begins as false.
        var readyChanges: [ReadyChange] = []
        var uid = ""
        /// Of its first container, without the runtime's name.
        var containerID = ""
    }

    struct ReadyChange: Sendable {
        let time: Int64
        let isReady: Bool
    }

    private struct Waiter {
        let names: Set<String>
        let isMet: @Sendable (Sightings) -> Bool
        let continuation: AsyncStream<Void>.Continuation
    }

    private var sightings: [String: Sightings] = [:]
    private var waiters: [Waiter] = []
    /// Why the watch ended, if it did.
    private var failure: String?

    /// Until cancelled. A watch that fails fails whoever waits.
    func run(_ client: APIClient) async {
        do { try await watch(client) } catch {
            failure = "\(error)"
            for waiter in waiters { waiter.continuation.finish() }
            waiters = []
        }
    }

    private func watch(_ client: APIClient) async throws {
        var version = try await client.list(Pod.self, namespace: PodWorkload.namespace).resourceVersion
        while !Task.isCancelled {
            let events = client.watch(Pod.self, namespace: PodWorkload.namespace, resourceVersion: version)
            for try await event in events {
                let now = ResourceUsage.wallNanoseconds
                switch event {
                case .added(let pod), .modified(let pod):
                    version = pod.metadata.resourceVersion ?? version
                    note(pod, now)
                case .deleted(let pod):
                    version = pod.metadata.resourceVersion ?? version
                    update(pod) { $0.gone = now }
                case .bookmark(let resourceVersion): version = resourceVersion
                case .undecodable(let object, _):
                    throw BenchmarkError("a watch event cannot be read: \(object.message)")
                }
            }
        }
    }

    func sightings(of name: String) -> Sightings { sightings[name] ?? Sightings() }

    /// Waits until every one of the pods has been seen as `isMet` asks.
    func wait(
        for names: [String], _ what: String, within limit: Duration = .seconds(60),
        _ isMet: @escaping @Sendable (Sightings) -> Bool
    ) async throws {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        waiters.append(Waiter(names: Set(names), isMet: isMet, continuation: continuation))
        settleWaiters()
        let isDone = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in stream {}
                return !Task.isCancelled
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        if let failure { throw BenchmarkError("the watch of pods failed: \(failure)") }
        if !isDone { throw BenchmarkError("waited \(limit) in vain for \(names.count) pods to be \(what)") }
    }

    private func note(_ pod: Pod, _ now: Int64) {
        update(pod) { seen in
            if seen.bound == nil, !(pod.spec.nodeName ?? "").isEmpty { seen.bound = now }
            if seen.running == nil, pod.status?.phase == "Running" { seen.running = now }
            let isReady = pod.status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } ?? false
            if isReady != (seen.readyChanges.last?.isReady ?? false) {
                seen.readyChanges.append(ReadyChange(time: now, isReady: isReady))
            }
            guard let container = pod.status?.containerStatuses?.first else { return }
            if let id = container.containerID { seen.containerID = String(id.drop { $0 != ":" }.dropFirst(3)) }
            if seen.restarted == nil, container.restartCount > 0, container.state?.running != nil {
                seen.restarted = now
            }
        }
    }

    private func update(_ pod: Pod, _ change: (inout Sightings) -> Void) {
        let name = pod.metadata.name ?? ""
        var seen = sightings[name] ?? Sightings()
        seen.uid = pod.metadata.uid ?? seen.uid
        change(&seen)
        sightings[name] = seen
        settleWaiters()
    }

    private func settleWaiters() {
        waiters.removeAll { waiter in
            guard waiter.names.allSatisfy({ waiter.isMet(sightings[$0] ?? Sightings()) }) else { return false }
            waiter.continuation.finish()
            return true
        }
    }
}
