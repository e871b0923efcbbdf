import KubernetesAPI
import KubernetesClient

/// The control endpoint: pods with versions, a history for watches, and the rules for deletion and status writes.
final class SimulatedAPI {
    enum Change: String { case added, modified, deleted }

    struct Record {
        var version: UInt64
        var change: Change
        var pod: Pod
    }

    let timeline: Timeline
    private(set) var pods: [String: Pod] = [:]
    private(set) var history: [Record] = []
    private(set) var version: UInt64 = 100
    /// Watches from before this version are told 410.
    private(set) var compactedBefore: UInt64 = 0
    /// A later stale list never goes behind this: an agent has seen it.
    private(set) var seen: UInt64 = 0
    private var watchers: [UInt64: (Record) -> Void] = [:]
    private var watcherCount: UInt64 = 0
    private var uidCount = 0

    var wallClock: () -> Timestamp = { Timestamp(seconds: 0) }
    var checker: Checker?
    var note: (String) -> Void = { _ in }

    init(timeline: Timeline) { self.timeline = timeline }

    static func key(_ pod: Pod) -> String { pod.key }

    private func commit(_ change: Change, _ pod: Pod) -> Pod {
        version += 1
        var pod = pod
        pod.metadata.resourceVersion = "\(version)"
        pods[pod.key] = change == .deleted ? nil : pod
        let record = Record(version: version, change: change, pod: pod)
        history.append(record)
        for number in watchers.keys.sorted() { watchers[number]?(record) }
        return pod
    }

    func watch(_ body: @escaping (Record) -> Void) -> UInt64 {
        watcherCount += 1
        watchers[watcherCount] = body
        return watcherCount
    }

    func unwatch(_ number: UInt64) { watchers[number] = nil }

    func compact() { compactedBefore = version + 1 }

    func markSeen(_ version: UInt64) { seen = max(seen, version) }

    /// The pods as they were at a version.
    func snapshot(at version: UInt64) -> [Pod] {
        if version >= self.version { return pods.values.sorted { $0.key < $1.key } }
        var then: [String: Pod] = [:]
        for record in history where record.version <= version {
            then[record.pod.key] = record.change == .deleted ? nil : record.pod
        }
        return then.values.sorted { $0.key < $1.key }
    }
}

// MARK: What users and controllers do

extension SimulatedAPI {
    /// - Returns: the UID.
    func create(_ pod: Pod) -> String? {
        guard pods[pod.key] == nil else { return nil }
        uidCount += 1
        var pod = pod
        pod.metadata.uid = "uid\(uidCount)"
        pod.metadata.generation = 1
        pod.metadata.creationTimestamp = wallClock().wholeSeconds
        pod.status = PodStatus(phase: PodPhase.pending.rawValue)
        pod.applyDefaults()
        let uid = pod.metadata.uid ?? ""
        checker?.desired(pod)
        note("user creates \(pod.key) \(uid)")
        _ = commit(.added, pod)
        return uid
    }

    func edit(_ key: String, _ body: (inout Pod) -> Void) {
        guard var pod = pods[key] else { return }
        body(&pod)
        pod.metadata.generation = (pod.metadata.generation ?? 0) + 1
        checker?.edited(pod)
        _ = commit(.modified, pod)
    }

    func setCondition(_ key: String, _ condition: PodCondition) {
        guard var pod = pods[key] else { return }
        var status = pod.status ?? PodStatus()
        status.setCondition(condition)
        pod.status = status
        _ = commit(.modified, pod)
    }

    /// - Returns: nil when it was carried out.
    func delete(_ key: String, grace: Int64?, uid: String?, byAgent: Bool) -> APIError? {
        guard var pod = pods[key] else {
            return APIError(code: .http(404), reason: .notFound, message: "pod \(key) not found")
        }
        if let uid, uid != pod.metadata.uid {
            return APIError(code: .http(409), reason: .conflict, message: "uid is not \(uid)")
        }
        var seconds = max(grace ?? pod.spec.terminationGracePeriodSeconds ?? 30, grace == 0 ? 0 : 1)
        if pod.isTerminal { seconds = 0 }
        guard seconds > 0 else {
            checker?.removed(pod, byAgent: byAgent)
            note("\(byAgent ? "agent" : "user") removes \(key) \(pod.metadata.uid ?? "")")
            _ = commit(.deleted, pod)
            return nil
        }
        if let old = pod.metadata.deletionGracePeriodSeconds {
            guard seconds < old, let due = pod.metadata.deletionTimestamp else { return nil }
            pod.metadata.deletionTimestamp = due.advanced(by: .seconds(seconds - old))
        } else {
            pod.metadata.deletionTimestamp = wallClock().advanced(by: .seconds(seconds)).wholeSeconds
            pod.metadata.generation = (pod.metadata.generation ?? 0) + 1
        }
        pod.metadata.deletionGracePeriodSeconds = seconds
        checker?.deletionAsked(pod, grace: seconds)
        note("user deletes \(key) \(pod.metadata.uid ?? "") grace \(seconds)")
        _ = commit(.modified, pod)
        return nil
    }

    func deleteNow(_ key: String) { _ = delete(key, grace: 0, uid: nil, byAgent: false) }
}

// MARK: What the agent writes

extension SimulatedAPI {
    /// - Parameter intendedUID: of the pod the agent meant, whatever its patch says.
    func patchStatus(_ key: String, body: JSONValue, intendedUID: String?) -> Result<Pod, APIError> {
        guard var pod = pods[key] else {
            return .failure(APIError(code: .http(404), reason: .notFound, message: "pod \(key) not found"))
        }
        if let uid = body["metadata"]?["uid"]?.stringValue, uid != pod.metadata.uid {
            return .failure(APIError(code: .http(409), reason: .conflict, message: "uid is not \(uid)"))
        }
        let old = pod.status ?? PodStatus()
        do {
            let before = try JSONValueEncoder().encode(old)
            let after = try StrategicMergePatch.apply(body["status"] ?? [:], to: before, as: PodStatus.self)
            pod.status = try JSONValueDecoder().decode(PodStatus.self, from: after)
        } catch {
            return .failure(APIError(code: .http(422), reason: .invalid, message: "\(error)"))
        }
        guard pod.status != old else { return .success(pods[key] ?? pod) }
        note("status \(key) \(pod.metadata.uid ?? "") \(Self.summary(pod.status))")
        checker?.statusWritten(pod, over: old, intendedUID: intendedUID)
        return .success(commit(.modified, pod))
    }

    /// Without times, which may jump.
    static func summary(_ status: PodStatus?) -> String {
        guard let status else { return "-" }
        var words = [status.phase ?? "-"]
        if let reason = status.reason { words.append(reason) }
        for entry in (status.initContainerStatuses ?? []) + (status.containerStatuses ?? []) {
            var word = "\(entry.name)#\(entry.restartCount)="
            if let end = entry.state?.terminated { word += "exit\(end.exitCode)" }
            if entry.state?.running != nil { word += entry.ready ? "ready" : "running" }
            if let waiting = entry.state?.waiting { word += waiting.reason ?? "waiting" }
            words.append(word)
        }
        words.append(status.isTrue(.ready) ? "Ready" : "NotReady")
        return words.joined(separator: " ")
    }
}
