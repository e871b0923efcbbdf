import KubernetesAPI
import NodeAgent

/// What outlives the agent: processes, cgroups, mounts, networks, records and logs of one machine.
final class SimulatedMachine {
    struct Sandbox {
        var id: String
        var podUID: String
        var podNamespace: String
        var podName: String
        var attempt: UInt32
        var isReady: Bool
        var ip: String?
    }

    struct ExitRecord: Hashable {
        var code: Int32
        var reason: String
        var at: Duration
        var wall: Timestamp
        /// Its program had begun to run.
        var ran: Bool
    }

    enum State: Hashable {
        /// Intent on disk, process not there yet.
        case intended
        /// Blocked before its first instruction.
        case created
        case running
        case exited(ExitRecord)
    }

    struct Instance {
        var id: String
        var podUID: String
        var podNamespace: String
        var podName: String
        var container: String
        var attempt: UInt32
        var sandboxID: String
        var definitionHash: String
        var image: String
        var cgroup: String
        var script: ProcessScript
        var gracePeriodSeconds: Int64?
        var postStart: PostStartState?
        var state = State.intended
        var intendedAt: Duration = .zero
        var startedAt: Duration = .zero
        var startedWall = Timestamp(seconds: 0)
        var terminatedAt: Duration?

        var isRunning: Bool { state == .running }
        var exit: ExitRecord? {
            if case .exited(let record) = state { return record }
            return nil
        }
    }

    let timeline: Timeline
    private(set) var sandboxes: [String: Sandbox] = [:]
    private(set) var instances: [String: Instance] = [:]
    /// `uid` for a pod, `uid/container.attempt` for a container.
    private(set) var cgroups: Set<String> = []
    private(set) var mounts: Set<String> = []
    private(set) var directories: Set<String> = []
    /// Numbers of log files by `uid/container`.
    private(set) var logs: [String: Set<UInt32>] = [:]
    /// Sandboxes whose namespaces were made but not recorded.
    private var unrecorded: Set<String> = []
    private var runs: [String: Int] = [:]
    private var counter = 0
    /// Instances that no agent finds any more (a planted bug).
    private var hidden: Set<String> = []
    private var exitTimers: [String: Timeline.Token] = [:]
    private var exitWaiters: [String: [() -> Void]] = [:]

    /// What the world knows of programs.
    var scripts: (_ podUID: String, _ container: String) -> ContainerScripts? = { _, _ in nil }
    var wallClock: () -> Timestamp = { Timestamp(seconds: 0) }
    /// Something has changed of a pod.
    var onChange: (_ podUID: String) -> Void = { _ in }
    var checker: Checker?

    init(timeline: Timeline) { self.timeline = timeline }

    func instances(ofPod uid: String) -> [Instance] {
        instances.values.filter { $0.podUID == uid }.sorted { $0.id < $1.id }
    }

    func sandboxes(ofPod uid: String) -> [Sandbox] {
        sandboxes.values.filter { $0.podUID == uid }.sorted { $0.id < $1.id }
    }

    func readySandbox(ofPod uid: String) -> Sandbox? { sandboxes(ofPod: uid).last { $0.isReady } }

    /// What is left of a pod, one word each; empty when nothing is.
    func remains(ofPod uid: String) -> [String] {
        var words: [String] = []
        if instances.values.contains(where: { $0.podUID == uid && $0.exit == nil }) { words.append("process") }
        if instances.values.contains(where: { $0.podUID == uid }) { words.append("record") }
        if sandboxes.values.contains(where: { $0.podUID == uid && $0.isReady }) { words.append("namespaces") }
        if sandboxes.values.contains(where: { $0.podUID == uid && $0.ip != nil }) { words.append("address") }
        if sandboxes.values.contains(where: { $0.podUID == uid }) { words.append("sandbox") }
        if cgroups.contains(where: { $0 == uid || $0.hasPrefix(uid + "/") }) { words.append("cgroup") }
        if mounts.contains(uid) { words.append("mount") }
        if directories.contains(uid) { words.append("directory") }
        if logs.keys.contains(where: { $0.hasPrefix(uid + "/") }) { words.append("log") }
        return words
    }

    /// Everything of which something is left.
    var podUIDs: Set<String> {
        var uids = Set(instances.values.map(\.podUID)).union(sandboxes.values.map(\.podUID)).union(mounts)
        uids.formUnion(directories)
        uids.formUnion(cgroups.map { String($0.prefix { $0 != "/" }) })
        uids.formUnion(logs.keys.map { String($0.prefix { $0 != "/" }) })
        return uids
    }

    private func identifier(_ kind: String) -> String {
        counter += 1
        let digits = String(counter)
        return kind + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

// MARK: Sandboxes

extension SimulatedMachine {
    func makeDirectory(_ uid: String) { directories.insert(uid) }
    func removeDirectory(_ uid: String) { directories.remove(uid) }

    func makeNamespaces() -> String {
        let id = identifier("s")
        unrecorded.insert(id)
        return id
    }

    func recordSandbox(_ sandbox: Sandbox) {
        unrecorded.remove(sandbox.id)
        sandboxes[sandbox.id] = sandbox
    }

    func attachNetwork(_ id: String) {
        guard sandboxes[id]?.ip == nil else { return }
        let taken = Set(sandboxes.values.compactMap(\.ip))
        sandboxes[id]?.ip = (2...250).lazy.map { "10.9.0.\($0)" }.first { !taken.contains($0) }
    }

    func detachNetwork(_ id: String) { sandboxes[id]?.ip = nil }
    func stopSandbox(_ id: String) { sandboxes[id]?.isReady = false }

    func discardSandbox(_ id: String) {
        unrecorded.remove(id)
        sandboxes[id] = nil
    }

    func makeCgroup(_ path: String) -> Bool { cgroups.insert(path).inserted }

    func removeCgroups(ofPod uid: String) { cgroups = cgroups.filter { $0 != uid && !$0.hasPrefix(uid + "/") } }

    func mount(_ uid: String) {
        directories.insert(uid)
        mounts.insert(uid)
    }

    func unmount(_ uid: String) { mounts.remove(uid) }

    func removeLogs(_ uid: String) { logs = logs.filter { !$0.key.hasPrefix(uid + "/") } }

    func attemptsUsed(_ uid: String) -> [String: UInt32] {
        var used: [String: UInt32] = [:]
        for (key, numbers) in logs where key.hasPrefix(uid + "/") {
            used[String(key.dropFirst(uid.count + 1))] = numbers.max()
        }
        return used
    }
}

// MARK: Containers

extension SimulatedMachine {
    func intend(_ instance: Instance) -> String {
        var instance = instance
        instance.id = identifier("c")
        instance.intendedAt = timeline.now
        instances[instance.id] = instance
        return instance.id
    }

    func spawn(_ id: String) {
        guard let instance = instances[id] else { return }
        instances[id]?.state = .created
        checker?.made(instance)
        logs["\(instance.podUID)/\(instance.container)", default: []].insert(instance.attempt)
    }

    func recordPostStart(_ state: PostStartState?, of id: String) { instances[id]?.postStart = state }

    /// Removes what an attempt left, if nothing of it runs.
    func remove(_ id: String) {
        guard let instance = instances[id], instance.exit != nil || instance.state == .intended else { return }
        cgroups.remove(instance.cgroup)
        instances[id] = nil
    }

    /// A running instance that no agent finds any more.
    func hide(_ id: String) {
        hidden.insert(id)
    }

    /// What the agent finds of a pod.
    func found(ofPod uid: String) -> [Instance] { instances(ofPod: uid).filter { !hidden.contains($0.id) } }

    func removeCgroup(_ path: String) { cgroups.remove(path) }

    /// Executes the program. False when that cannot be done.
    ///
    /// - Parameter isAsked: whether an agent wants that.
    func release(_ id: String, isAsked: Bool = true) -> Bool {
        guard let instance = instances[id], instance.state == .created else { return false }
        let key = "\(instance.podUID)/\(instance.container)"
        let run = runs[key] ?? 0
        let script = scripts(instance.podUID, instance.container)?.script(run: run) ?? ProcessScript()
        if script.failsToStart {
            runs[key] = run + 1
            end(id, code: 128, reason: "StartError")
            return false
        }
        runs[key] = run + 1
        instances[id]?.script = script
        instances[id]?.state = .running
        instances[id]?.startedAt = timeline.now
        instances[id]?.startedWall = wallClock()
        if let started = instances[id] { checker?.started(started, isAsked: isAsked) }
        if let lifetime = script.lifetime {
            exitTimers[id] = timeline.after(lifetime) { [unowned self] in
                end(id, code: script.exitCode, reason: script.exitCode == 0 ? "Completed" : "Error")
            }
        }
        onChange(instance.podUID)
        return true
    }

    /// SIGTERM.
    func terminate(_ id: String) {
        guard let instance = instances[id], instance.isRunning else { return }
        checker?.signalled(instance)
        guard instance.terminatedAt == nil else { return }
        instances[id]?.terminatedAt = timeline.now
        guard case .exits(let delay, let code) = instance.script.onTerminate else { return }
        if let timer = exitTimers[id] { timeline.cancel(timer) }
        exitTimers[id] = timeline.after(delay) { [unowned self] in
            end(id, code: code, reason: code == 0 ? "Completed" : "Error")
        }
    }

    /// SIGKILL by the agent.
    func kill(_ id: String) {
        guard let instance = instances[id], instance.exit == nil else { return }
        if instance.isRunning { checker?.killed(instance) }
        end(id, code: 137, reason: "Error")
    }

    /// The process ends, whoever caused it.
    func end(_ id: String, code: Int32, reason: String) {
        guard let instance = instances[id], instance.exit == nil else { return }
        if let timer = exitTimers.removeValue(forKey: id) { timeline.cancel(timer) }
        let record = ExitRecord(
            code: code, reason: reason, at: timeline.now, wall: wallClock(), ran: instance.isRunning)
        instances[id]?.state = .exited(record)
        if let ended = instances[id] { checker?.exited(ended, record) }
        for body in exitWaiters.removeValue(forKey: id) ?? [] { body() }
        onChange(instance.podUID)
    }

    func whenExited(_ id: String, _ body: @escaping () -> Void) {
        guard let instance = instances[id], instance.exit == nil else { return body() }
        exitWaiters[id, default: []].append(body)
    }
}

// MARK: Whole machine

extension SimulatedMachine {
    /// What a new agent's runtime does before anything else: what never ran is as if it had never been.
    func adopt() {
        unrecorded = []
        for instance in instances.values.sorted(by: { $0.id < $1.id }) {
            switch instance.state {
            case .intended, .created:
                logs["\(instance.podUID)/\(instance.container)"]?.remove(instance.attempt)
                if logs["\(instance.podUID)/\(instance.container)"]?.isEmpty == true {
                    logs["\(instance.podUID)/\(instance.container)"] = nil
                }
                cgroups.remove(instance.cgroup)
                instances[instance.id] = nil
                checker?.neverRan(instance)
            case .exited(let record) where !record.ran && record.reason != "StartError":
                cgroups.remove(instance.cgroup)
                instances[instance.id] = nil
            case .running, .exited: break
            }
        }
        let known = Set(instances.values.map(\.cgroup))
        cgroups = cgroups.filter { !$0.contains("/") || known.contains($0) }
    }

    /// Power is lost, and comes back: only disks keep what they had.
    func reboot() {
        for timer in exitTimers.values { timeline.cancel(timer) }
        exitTimers = [:]
        exitWaiters = [:]
        for instance in instances.values.sorted(by: { $0.id < $1.id }) { checker?.lost(instance) }
        instances = [:]
        sandboxes = [:]
        unrecorded = []
        cgroups = []
        mounts = []
    }
}
