import KubernetesAPI
import KubernetesClient

/// Decides what to write of which pod and when. Pure: told of the time and of the ends of calls, it answers with calls.
///
/// Per pod only the newest status counts and at most one call is under way; a pod whose status the API has costs
/// nothing.
struct PodStatusStateMachine {
    /// An object of the API that takes a status: the pod itself, or the mirror of a static pod.
    struct Target: Hashable, Sendable {
        var namespace: String
        var name: String
        var uid: String

        init?(_ metadata: ObjectMeta) {
            guard let namespace = metadata.namespace, let name = metadata.name, let uid = metadata.uid,
                !namespace.isEmpty, !name.isEmpty, !uid.isEmpty
            else { return nil }
            (self.namespace, self.name, self.uid) = (namespace, name, uid)
        }
    }

    /// A call to make. `token` identifies it in `completed`.
    struct Action: Hashable, Sendable {
        enum Call: Hashable, Sendable {
            case fetch
            case patch(JSONValue)
            case delete
        }

        var uid: String
        var token: UInt64
        var target: Target
        var call: Call
    }

    /// How a call ended.
    enum Outcome: Sendable {
        case object(Pod)
        case deleted
        case failed(APIError)
    }

    private struct Entry {
        var target: Target?
        /// What the API holds, as far as known; nil until told or fetched.
        var base: PodStatus?
        var resourceVersion: UInt64?
        /// What the node last said, over what it said before.
        var wanted: PodStatus?
        /// A final deletion is to follow once the status is there.
        var isDeleting = false
        /// The object is gone from the API, or another one has its name.
        var isGone = false
        /// The patch after which the API still held something else: writing it again would not help.
        var ineffective: JSONValue?
        var rejections = 0
        var backoff: Backoff
        var due: Duration?
        /// `due` only keeps a fight over the status slow; news of the node do not wait for it.
        var isDriftWait = false
        /// `due` waits for a server that did not answer.
        var isUnanswered = false
        /// When somebody else last changed an acknowledged status.
        var lastDrift: Duration?
        /// The target is a static pod's mirror, told by `setMirror`.
        var isMirrored = false
    }

    /// Calls under way at once, over all pods.
    static let concurrencyLimit = 16
    /// A status the API refuses this often does not keep a pod from being deleted.
    static let rejectionLimit = 3
    /// Somebody who keeps changing what the node reported is answered this often.
    static let driftInterval = Duration.seconds(10)
    /// An unacknowledged status is tried again at least every 10 s.
    static let retryPolicy = RetryPolicy(initialDelay: .milliseconds(200), maximumDelay: .seconds(10))

    private var entries: [String: Entry] = [:]
    private var queue: [String] = []
    private var queued: Set<String> = []
    /// Calls under way by pod, whether or not the pod is still known.
    private var inFlight: [String: UInt64] = [:]
    private var nextToken: UInt64 = 0

    // MARK: What the node says

    func status(uid: String) -> PodStatus? { entries[uid]?.wanted }

    mutating func set(_ status: PodStatus, for pod: Pod) {
        guard let uid = pod.metadata.uid, !uid.isEmpty else { return }
        var entry = entry(for: pod, uid: uid)
        let known = entry.wanted ?? entry.base ?? PodStatus()
        let merged = PodStatusMerge.merge(status, over: known)
        defer { entries[uid] = entry }
        guard merged != entry.wanted else { return }
        entry.wanted = merged
        entry.ineffective = nil
        if entry.isDriftWait { (entry.isDriftWait, entry.due) = (false, nil) }
        enqueue(uid, &entry)
    }

    /// The API's version of a pod; that of a static pod says nothing about what the API holds.
    mutating func observe(_ pod: Pod, now: Duration) {
        guard let uid = pod.metadata.uid, !uid.isEmpty else { return }
        var entry = entry(for: pod, uid: uid)
        if !pod.isStatic { observe(pod, &entry, uid: uid, now: now) }
        entries[uid] = entry
    }

    private mutating func observe(_ pod: Pod, _ entry: inout Entry, uid: String, now: Duration) {
        let wasAcknowledged = entry.base != nil && inFlight[uid] == nil && patch(of: entry) == nil
        guard take(pod, into: &entry), patch(of: entry) != nil else { return }
        if wasAcknowledged, entry.due == nil {
            if let last = entry.lastDrift, now < last + Self.driftInterval {
                entry.due = last + Self.driftInterval
                entry.isDriftWait = true
            }
            entry.lastDrift = max(now, entry.due ?? now)
        }
        enqueue(uid, &entry)
    }

    /// The mirror a static pod has now; nil when it has none.
    mutating func setMirror(_ mirror: Pod?, forStaticUID uid: String, now: Duration) {
        // Without an entry there is no status to write yet, but the place has to be known when there is.
        var entry = entries[uid] ?? Entry(backoff: Backoff(policy: Self.retryPolicy))
        let target = mirror.flatMap { Target($0.metadata) }
        if entry.target != target {
            entry.target = target
            entry.base = nil
            entry.resourceVersion = nil
            entry.isGone = false
            entry.ineffective = nil
            entry.backoff.reset()
            (entry.due, entry.isDriftWait) = (nil, false)
        }
        entry.isMirrored = target != nil
        if let mirror { observe(mirror, &entry, uid: uid, now: now) }
        entries[uid] = entry.target == nil && entry.wanted == nil ? nil : entry
    }

    mutating func forget(uid: String) {
        queued.remove(uid)
        guard var entry = entries[uid], entry.isMirrored else {
            entries[uid] = nil
            return
        }
        // The same definition may come back under the same UID: its mirror is then still this one.
        entry.wanted = nil
        entry.ineffective = nil
        (entry.due, entry.isDriftWait) = (nil, false)
        entries[uid] = entry
    }

    /// Completes a deletion somebody asked for. Never starts one: without a deletion timestamp nothing happens.
    ///
    /// - Returns: whether the pod is one to delete.
    mutating func delete(_ pod: Pod) -> Bool {
        guard let uid = pod.metadata.uid, !uid.isEmpty, !pod.isStatic, pod.metadata.deletionTimestamp != nil
        else { return false }
        var entry = entry(for: pod, uid: uid)
        entry.isDeleting = true
        enqueue(uid, &entry)
        entries[uid] = entry
        return true
    }

    private func entry(for pod: Pod, uid: String) -> Entry {
        if let entry = entries[uid] { return entry }
        var entry = Entry(backoff: Backoff(policy: Self.retryPolicy))
        if !pod.isStatic { entry.target = Target(pod.metadata) }
        return entry
    }

    // MARK: What the API says

    /// Takes over an API version unless a newer one is known; says whether it did.
    private func take(_ pod: Pod, into entry: inout Entry) -> Bool {
        guard pod.metadata.uid == entry.target?.uid else { return false }
        let version = pod.metadata.resourceVersion.flatMap { UInt64($0) }
        if let version, let known = entry.resourceVersion, version < known { return false }
        entry.resourceVersion = version ?? entry.resourceVersion
        entry.base = pod.status ?? PodStatus()
        entry.isGone = false
        return true
    }

    /// What is left to write; nil when the API holds what the node said.
    private func patch(of entry: Entry) -> JSONValue? {
        guard let target = entry.target, let wanted = entry.wanted, let base = entry.base, !entry.isGone else {
            return nil
        }
        let patch = PodStatusMerge.patch(
            from: base, to: PodStatusMerge.merge(wanted, over: base), uid: target.uid)
        return patch == entry.ineffective ? Optional.none : patch
    }

    // MARK: Calls

    /// The calls to make now.
    mutating func next(now: Duration) -> [Action] {
        for (uid, entry) in entries {
            guard let due = entry.due, due <= now else { continue }
            entries[uid]?.due = nil
            entries[uid]?.isDriftWait = false
            if queued.insert(uid).inserted { queue.append(uid) }
        }
        var actions: [Action] = []
        var waiting: [String] = []
        var index = queue.startIndex
        while index < queue.endIndex, inFlight.count < Self.concurrencyLimit {
            let uid = queue[index]
            index += 1
            guard queued.contains(uid) else { continue }
            if inFlight[uid] != nil {
                // The end of the call under way brings it back.
                waiting.append(uid)
                continue
            }
            queued.remove(uid)
            guard let (target, call) = call(for: uid) else { continue }
            nextToken &+= 1
            inFlight[uid] = nextToken
            actions.append(Action(uid: uid, token: nextToken, target: target, call: call))
        }
        queue = waiting + queue[index...]
        return actions
    }

    /// When to call `next` again though nothing has happened.
    var nextDue: Duration? { entries.values.compactMap(\.due).min() }

    private mutating func call(for uid: String) -> (Target, Action.Call)? {
        guard let entry = entries[uid], let target = entry.target, !entry.isGone, entry.due == nil else { return nil }
        let isHopeless = entry.isDeleting && entry.rejections >= Self.rejectionLimit
        if entry.wanted != nil, !isHopeless {
            guard entry.base != nil else { return (target, .fetch) }
            if let patch = patch(of: entry) {
                return (target, .patch(patch))
            }
        }
        return entry.isDeleting ? (target, .delete) : nil
    }

    /// A call has ended.
    ///
    /// - Parameter random: uniform in 0..<1.
    mutating func completed(_ action: Action, _ outcome: Outcome, now: Duration, random: Double) {
        guard inFlight[action.uid] == action.token else { return }
        inFlight[action.uid] = nil
        // The pod may be forgotten, or have got another mirror, since the call began.
        guard var entry = entries[action.uid] else { return }
        defer { entries[action.uid] = entry }
        guard entry.target == action.target else {
            enqueue(action.uid, &entry)
            return
        }
        switch outcome {
        case .deleted:
            entry.isGone = true
            entry.backoff.reset()
        case .object(let pod):
            guard pod.metadata.uid == action.target.uid else {
                entry.isGone = true
                return
            }
            _ = take(pod, into: &entry)
            if case .patch(let patch) = action.call {
                // A look that succeeds proves nothing: the write after it may fail as the one before did.
                entry.backoff.reset()
                entry.rejections = 0
                if self.patch(of: entry) == patch { entry.ineffective = patch }
            }
            enqueue(action.uid, &entry)
        case .failed(let error):
            failed(error, action, &entry, now: now, random: random)
        }
    }

    private mutating func failed(
        _ error: APIError, _ action: Action, _ entry: inout Entry, now: Duration, random: Double
    ) {
        switch action.call {
        case .delete where error.isConflict, .delete where error.isNotFound, .fetch where error.isNotFound,
            .patch where error.isNotFound:
            entry.isGone = true
            return
        case .patch where !error.isRetryable:
            // What was compared with is not what the API holds, or the object has been replaced: look.
            if error.isInvalid || error.isForbidden { entry.rejections += 1 }
            entry.base = nil
            entry.resourceVersion = nil
        case .patch, .fetch, .delete:
            break
        }
        queued.remove(action.uid)
        entry.isDriftWait = false
        entry.isUnanswered = error.isUnanswered
        entry.due = now + entry.backoff.failed(retryAfterSeconds: error.retryAfterSeconds, random: random)
    }

    /// The server could not be reached and now can: what waits for that is tried at once.
    mutating func serverReturned(now: Duration) {
        for (uid, entry) in entries where entry.due != nil && !entry.isDriftWait && entry.isUnanswered {
            entries[uid]?.due = now
        }
    }

    /// At once, unless a failure has to be waited out.
    private mutating func enqueue(_ uid: String, _ entry: inout Entry) {
        guard entry.due == nil, queued.insert(uid).inserted else { return }
        queue.append(uid)
    }
}
