import KubernetesAPI
import KubernetesClient
import Synchronization

@testable import NodeAgent

/// The pods of an API server, in memory, with its rules for status patches, UIDs and deletion.
final class FakePods: PodStatusWriting, MirrorPodWriting, Sendable {
    enum Call: Hashable, Sendable { case get(String), patch(String), create(String), delete(String) }

    private struct State {
        var pods: [String: Pod] = [:]
        var version = 100
        var failures: [APIError] = []
        var patching: Set<String> = []
        var overlapped = false
    }

    private let state = Mutex(State())
    /// Every call, once it has been answered.
    let calls: AsyncStream<Call>
    private let call: AsyncStream<Call>.Continuation

    init(_ pods: [Pod] = []) {
        (calls, call) = AsyncStream.makeStream()
        for pod in pods { put(pod) }
    }

    static func error(_ status: Int, _ reason: APIError.Reason) -> APIError {
        APIError(code: .http(status), reason: reason, message: "fake")
    }

    /// What the API holds under `namespace/name`.
    func stored(_ key: String) -> Pod? { state.withLock { $0.pods[key] } }

    func put(_ pod: Pod) { state.withLock { $0.pods[pod.key] = Self.stamped(pod, &$0) } }

    /// The next calls fail with these, one each.
    func fail(_ errors: APIError...) { state.withLock { $0.failures += errors } }

    /// Two writes for one pod were under way at once.
    var overlapped: Bool { state.withLock { $0.overlapped } }

    private static func stamped(_ pod: Pod, _ state: inout State) -> Pod {
        var pod = pod
        state.version += 1
        pod.metadata.resourceVersion = "\(state.version)"
        return pod
    }

    private func answer<Value>(
        _ call: Call, _ body: (inout State) throws(APIError) -> Value
    ) throws(APIError) -> Value {
        defer { self.call.yield(call) }
        let result = state.withLock { state -> Result<Value, APIError> in
            if !state.failures.isEmpty { return .failure(state.failures.removeFirst()) }
            do throws(APIError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    func pod(namespace: String, name: String) async throws(APIError) -> Pod {
        try answer(.get(name)) { (state) throws(APIError) in
            guard let pod = state.pods["\(namespace)/\(name)"] else { throw Self.error(404, .notFound) }
            return pod
        }
    }

    func patchPodStatus(namespace: String, name: String, body: JSONValue) async throws(APIError) -> Pod {
        let key = "\(namespace)/\(name)"
        state.withLock { if !$0.patching.insert(key).inserted { $0.overlapped = true } }
        await Task.yield()
        defer { state.withLock { _ = $0.patching.remove(key) } }
        return try answer(.patch(name)) { (state) throws(APIError) in
            guard let old = state.pods[key] else { throw Self.error(404, .notFound) }
            guard body[path: "metadata", "uid"]?.stringValue == old.metadata.uid else {
                throw Self.error(409, .conflict)
            }
            guard let value = try? JSONValueEncoder().encode(old),
                let patched = try? StrategicMergePatch.apply(body, to: value, as: Pod.self),
                let pod = try? JSONValueDecoder().decode(Pod.self, from: patched)
            else { throw Self.error(422, .invalid) }
            let new = Self.stamped(pod, &state)
            state.pods[key] = new
            return new
        }
    }

    func createPod(_ pod: Pod) async throws(APIError) -> Pod {
        try answer(.create(pod.metadata.name ?? "")) { (state) throws(APIError) in
            guard state.pods[pod.key] == nil else { throw Self.error(409, .alreadyExists) }
            var pod = Self.stamped(pod, &state)
            pod.metadata.uid = "api-\(state.version)"
            state.pods[pod.key] = pod
            return pod
        }
    }

    func deletePod(namespace: String, name: String, options: DeleteOptions) async throws(APIError) {
        try answer(.delete(name)) { (state) throws(APIError) in
            guard let pod = state.pods["\(namespace)/\(name)"] else { throw Self.error(404, .notFound) }
            guard options.gracePeriodSeconds == 0, options.preconditions?.uid == pod.metadata.uid else {
                throw Self.error(409, .conflict)
            }
            state.pods["\(namespace)/\(name)"] = nil
        }
    }
}
