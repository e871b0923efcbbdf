import KubernetesAPI
import KubernetesClient
import NodeAgent

/// One incarnation's connection to the control endpoint: requests take their time, fail, or are carried out while their answer
/// is lost; watches end, repeat themselves and come in the wrong order.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class SimulatedClient: @unchecked Sendable {
    let world: World
    let incarnation: Incarnation
    private var lists = 0
    /// Every wait takes its whole time here: the worlds' faults come one request at a time.
    let reachability: Reachability? = nil

    init(world: World, incarnation: Incarnation) {
        self.world = world
        self.incarnation = incarnation
    }

    static let gone = APIError(code: .transport(.cancelled), message: "this agent is no more")

    /// A request with its way there and back.
    private func request<Value>(
        _ name: String, _ body: () -> Result<Value, APIError>
    ) async throws(APIError) -> Value {
        do {
            try await incarnation.suspend(for: world.faults.apiDelay(), cancellable: false)
            try await world.crashPoint("before \(name)", incarnation)
        } catch { throw Self.gone }
        if let error = world.faults.apiError() {
            world.note("api \(name) fails: \(error.code)")
            throw error
        }
        let result = body()
        do {
            try await world.crashPoint("after \(name)", incarnation)
            try await incarnation.suspend(for: world.faults.apiDelay(), cancellable: false)
        } catch { throw Self.gone }
        if world.faults.losesAnswer() {
            world.note("api \(name): answer lost")
            throw APIError(code: .transport(.connectionLost), message: "connection reset")
        }
        return try result.get()
    }
}

extension SimulatedClient: PodStatusWriting {
    func pod(namespace: String, name: String) async throws(APIError) -> Pod {
        try await request("get-pod") {
            guard let pod = world.api.pods["\(namespace)/\(name)"] else {
                return .failure(APIError(code: .http(404), reason: .notFound, message: "pod \(name) not found"))
            }
            if let version = pod.metadata.resourceVersion.flatMap({ UInt64($0) }) { world.api.markSeen(version) }
            return .success(pod)
        }
    }

    func patchPodStatus(namespace: String, name: String, body: JSONValue) async throws(APIError) -> Pod {
        let intended = body["metadata"]?["uid"]?.stringValue
        return try await request("write-status") {
            let key = "\(namespace)/\(name)"
            if let pretended = world.mutations.swallowedPatch(key, body, world: world) { return .success(pretended) }
            let patch = world.mutations.patch(body, world: world)
            return world.api.patchStatus(key, body: patch, intendedUID: intended).map { pod in
                if let version = pod.metadata.resourceVersion.flatMap({ UInt64($0) }) { world.api.markSeen(version) }
                return pod
            }
        }
    }

    func deletePod(namespace: String, name: String, options: DeleteOptions) async throws(APIError) {
        let uid = options.preconditions?.uid
        if uid == nil { world.checker.violation("I8", "final delete without a UID", "\(namespace)/\(name)") }
        try await request("final-delete") {
            let key = "\(namespace)/\(name)"
            let asked = world.mutations.active == .ignoresUID ? nil : uid
            if let hit = world.api.pods[key]?.metadata.uid, hit != uid, asked == nil {
                world.checker.violation("I8", "deletion of \(uid ?? "-") hits \(hit)", key)
            }
            let error = world.api.delete(
                key, grace: options.gracePeriodSeconds, uid: asked, byAgent: true)
            world.api.markSeen(world.api.version)
            return error.map { .failure($0) } ?? .success(())
        }
    }
}

extension SimulatedClient: EventSink {
    func createEvent(_ event: Event) async throws(APIError) {
        if event.reason == "DeletionHeld" { world.checker.deletionsHeldUntil = world.now + .seconds(330) }
        try await request("create-event") {
            world.note("event \(event.involvedObject.name ?? "-") \(event.reason ?? "-")")
            return .success(())
        }
    }

    func patchEvent(_ event: Event) async throws(APIError) { try await request("patch-event") { .success(()) } }
}

extension SimulatedClient: ResourceSource {
    func list(resourceVersion: String) async throws(APIError) -> ResourceList<Pod> {
        lists += 1
        let isFirst = lists == 1
        let list: ResourceList<Pod> = try await request("list-pods") {
            var version = world.api.version
            if resourceVersion == "0", isFirst { version = world.faults.staleVersion(of: world.api) }
            world.note("api list at \(version)")
            var items = world.api.snapshot(at: version)
            world.mutations.list(&items, world: world)
            return .success(ResourceList(items: items, resourceVersion: "\(version)"))
        }
        for pod in list.items { world.checker.told(pod, incarnation: incarnation.number) }
        UInt64(list.resourceVersion).map(world.api.markSeen)
        return list
    }

    func watch(
        resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error> {
        let (stream, continuation) = AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error>.makeStream()
        guard incarnation.isAlive else {
            continuation.finish(throwing: Self.gone)
            return stream
        }
        let watch = SimulatedWatch(
            world: world, incarnation: incarnation, from: UInt64(resourceVersion) ?? 0, continuation)
        watch.open(timeout: .seconds(timeoutSeconds))
        continuation.onTermination = { _ in watch.close() }
        return stream
    }
}
