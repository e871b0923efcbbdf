import KubernetesAPI
import NodeAgent
import Probes

/// The machine as one incarnation of the agent reaches it. Every call is made of named steps; before and after each the agent
/// may be killed, and each may fail or take its time.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class SimulatedHost: PodHost, @unchecked Sendable {
    /// The incarnation has been killed: what it does has no effect.
    struct Dead: Error {}

    let world: World
    let incarnation: Incarnation
    let changes: AsyncStream<String>
    private let change: AsyncStream<String>.Continuation
    /// Volumes this process has seen to.
    private var mounted: Set<String> = []

    private var machine: SimulatedMachine { world.machine }

    init(world: World, incarnation: Incarnation) {
        self.world = world
        self.incarnation = incarnation
        (changes, change) = AsyncStream.makeStream()
    }

    func tell(_ uid: String) {
        guard incarnation.isAlive else { return }
        change.yield(uid)
    }

    // MARK: Steps

    /// One effect on the machine, with its two crash points.
    func step(_ name: String, _ detail: String, canFail: Bool = true, _ effect: () throws -> Void) async throws {
        try await world.crashPoint("before \(name)", incarnation)
        if canFail, let error = world.faults.hostError(name) {
            world.note("host \(name) \(detail) fails: \(error.message)")
            throw error
        }
        try effect()
        world.note("host \(name) \(detail)")
        try await world.crashPoint("after \(name)", incarnation)
    }

    private func pause() async throws {
        do { try await incarnation.suspend(for: world.faults.hostDelay(), cancellable: false) } catch { throw Dead() }
    }

    private func call<Value>(_ body: () async throws -> Value) async throws(PodHostError) -> Value {
        do {
            if !incarnation.isAlive { throw Dead() }
            return try await body()
        } catch let error as PodHostError {
            throw error
        } catch {
            throw PodHostError(reason: "Gone", message: "this agent is no more")
        }
    }

    // MARK: Looking

    func knows(_ uid: String) async -> Bool {
        guard incarnation.isAlive else { return false }
        return machine.readySandbox(ofPod: uid) != nil || !machine.found(ofPod: uid).isEmpty
    }

    /// Nothing is resized in these worlds.
    func allocations(of uid: String) async -> [String: ResourceRequirements] { [:] }

    func observe(_ uid: String) async -> PodObservation {
        guard incarnation.isAlive else { return PodObservation() }
        let sandboxes = machine.sandboxes(ofPod: uid)
        let ready = machine.readySandbox(ofPod: uid)
        let observation = PodObservation(
            sandboxID: ready?.id, nextSandboxAttempt: sandboxes.map(\.attempt).max().map { $0 + 1 } ?? 0,
            podIPs: ready?.ip.map { [$0] } ?? [],
            containers: machine.found(ofPod: uid).compactMap(Self.observation))
        return world.mutations.observation(observation, world: world)
    }

    private static func observation(_ instance: SimulatedMachine.Instance) -> ContainerObservation? {
        let state: ContainerObservation.State
        switch instance.state {
        case .intended: return nil
        case .created: state = .created
        case .running: state = .running(startedAt: instance.startedWall)
        case .exited(let record):
            state = .exited(
                ContainerStateTerminated(
                    exitCode: record.code, reason: record.reason,
                    startedAt: record.ran ? instance.startedWall : nil, finishedAt: record.wall,
                    containerID: "swiftlet://\(instance.id)"))
        }
        return ContainerObservation(
            id: instance.id, sandboxID: instance.sandboxID, name: instance.container, attempt: instance.attempt,
            definitionHash: instance.definitionHash, image: instance.image, imageID: "id-of-\(instance.image)",
            state: state, postStart: instance.postStart)
    }

    func attemptsUsed(by pod: Pod) async -> [String: UInt32] {
        guard incarnation.isAlive else { return [:] }
        return machine.attemptsUsed(pod.metadata.uid ?? "")
    }

    func remnants() async -> [Pod] {
        guard incarnation.isAlive else { return [] }
        var pods: [String: Pod] = [:]
        for uid in machine.mounts.union(machine.directories) { pods[uid] = Pod(metadata: ObjectMeta(uid: uid)) }
        for sandbox in machine.sandboxes.values {
            pods[sandbox.podUID] = Pod(
                metadata: ObjectMeta(
                    name: sandbox.podName, namespace: sandbox.podNamespace, uid: sandbox.podUID,
                    annotations: Self.sourceAnnotation(sandbox.podUID)))
        }
        for instance in machine.instances.values {
            pods[instance.podUID] = Pod(
                metadata: ObjectMeta(
                    name: instance.podName, namespace: instance.podNamespace, uid: instance.podUID,
                    annotations: Self.sourceAnnotation(instance.podUID)),
                spec: PodSpec(containers: [], terminationGracePeriodSeconds: instance.gracePeriodSeconds))
        }
        return pods.values.sorted { ($0.metadata.uid ?? "") < ($1.metadata.uid ?? "") }
    }

    private static func sourceAnnotation(_ uid: String) -> [String: String] {
        [PodAnnotations.source: (uid.hasPrefix("static-") ? PodSource.file : .api).rawValue]
    }

    func discardUnused() async {}
}

// MARK: Pods

extension SimulatedHost {
    func createSandbox(for pod: Pod, attempt: UInt32) async throws(PodHostError) {
        try await call {
            let uid = pod.metadata.uid ?? ""
            world.checker.begins(uid)
            try await pause()
            var id: String?
            do {
                try await step("make-directory", uid) { machine.makeDirectory(uid) }
                try await step("make-namespaces", uid) { id = machine.makeNamespaces() }
                guard let id else { return }
                try await step("record-sandbox", "\(uid) \(id)") {
                    machine.recordSandbox(
                        SimulatedMachine.Sandbox(
                            id: id, podUID: uid, podNamespace: pod.metadata.namespace ?? "",
                            podName: pod.metadata.name ?? "", attempt: attempt, isReady: true, ip: nil))
                }
                try await prepare(id, uid)
            } catch let error as PodHostError {
                if let id { machine.discardSandbox(id) }
                throw PodHostError(
                    reason: "FailedCreatePodSandBox", message: "Failed to create pod sandbox: \(error.message)")
            }
        }
    }

    private func prepare(_ sandboxID: String, _ uid: String) async throws {
        if !machine.cgroups.contains(uid) {
            try await step("make-pod-cgroup", uid) { _ = machine.makeCgroup(uid) }
        }
        if machine.sandboxes[sandboxID]?.ip == nil {
            try await step("attach-network", "\(uid) \(sandboxID)") { machine.attachNetwork(sandboxID) }
        }
    }

    func mountVolumes(of pod: Pod) async throws(PodHostError) {
        try await call {
            let uid = pod.metadata.uid ?? ""
            if mounted.contains(uid) { return }
            try await pause()
            do { try await step("mount-volumes", uid) { machine.mount(uid) } } catch let error as PodHostError {
                throw PodHostError(reason: "FailedMount", message: error.message)
            }
            mounted.insert(uid)
        }
    }

    func refreshVolumes(of pod: Pod) async throws(PodHostError) -> Duration? { nil }

    func release(_ pod: Pod) async throws(PodHostError) {
        try await call {
            let uid = pod.metadata.uid ?? ""
            try await pause()
            if world.mutations.skips(.forgetsRelease) { return }
            world.mutations.beforeReleasing(uid, world: world)
            do {
                for sandbox in machine.sandboxes(ofPod: uid) {
                    for instance in machine.found(ofPod: uid) where instance.sandboxID == sandbox.id {
                        if instance.exit == nil { machine.kill(instance.id) }
                    }
                    try await step("stop-sandbox", "\(uid) \(sandbox.id)") { machine.stopSandbox(sandbox.id) }
                    if !world.mutations.skips(.leaksAddresses) {
                        try await step("detach-network", "\(uid) \(sandbox.id)") { machine.detachNetwork(sandbox.id) }
                    }
                }
                if !world.mutations.skips(.leaksMounts) {
                    try await step("unmount-volumes", uid) { machine.unmount(uid) }
                }
                mounted.remove(uid)
                if !world.mutations.skips(.leaksCgroups) {
                    try await step("remove-pod-cgroup", uid) { machine.removeCgroups(ofPod: uid) }
                }
            } catch let error as PodHostError {
                throw PodHostError(reason: "FailedKillPod", message: "error killing pod: \(error.message)")
            }
        }
    }

    func forget(_ pod: Pod) async throws(PodHostError) {
        try await call {
            let uid = pod.metadata.uid ?? ""
            try await pause()
            do {
                for sandbox in machine.sandboxes(ofPod: uid) {
                    try await step("discard-sandbox", "\(uid) \(sandbox.id)") { machine.discardSandbox(sandbox.id) }
                }
                for instance in machine.found(ofPod: uid) {
                    guard instance.exit != nil else {
                        throw PodHostError(reason: "FailedKillPod", message: "container \(instance.id) still runs")
                    }
                    try await step("remove-record", "\(uid) \(instance.id)") { machine.remove(instance.id) }
                }
                if !world.mutations.skips(.leaksLogs) {
                    try await step("remove-logs", uid) { machine.removeLogs(uid) }
                }
                try await step("remove-directory", uid) { machine.removeDirectory(uid) }
                world.mutations.afterForgetting(uid, world: world)
            } catch let error as PodHostError {
                throw PodHostError(reason: "FailedKillPod", message: "pod's remains not removed: \(error.message)")
            }
        }
    }
}

// MARK: Containers

extension SimulatedHost {
    func findImage(of container: Container, in pod: Pod) async throws(PodHostError) -> ImageNeed { .pull }

    func pullImage(of container: Container, in pod: Pod) async throws(PodHostError) {
        try await call {
            try await pause()
            let image = container.image ?? ""
            if image.hasPrefix("missing") || world.faults.imagesFail() {
                throw PodHostError(reason: "ErrImagePull", message: "image \(image) cannot be pulled")
            }
        }
    }

    func createContainer(
        _ container: Container, of pod: Pod, attempt: UInt32
    ) async throws(PodHostError) -> String {
        try await call {
            let uid = pod.metadata.uid ?? ""
            try await pause()
            guard let sandbox = machine.readySandbox(ofPod: uid) else {
                throw PodHostError(reason: "CreateContainerError", message: "the pod's sandbox is gone")
            }
            if !mounted.contains(uid) { world.checker.violation("I4", "container made before its volumes", uid) }
            try await prepare(sandbox.id, uid)
            world.checker.tried(container.name, of: uid)
            let cgroup = "\(uid)/\(container.name).\(attempt)"
            var isFree = false
            try await step("make-cgroup", cgroup) { isFree = machine.makeCgroup(cgroup) }
            guard isFree else {
                if !machine.instances.values.contains(where: { $0.cgroup == cgroup }) { machine.removeCgroup(cgroup) }
                throw PodHostError(reason: "CreateContainerError", message: "cgroup \(cgroup) exists already")
            }
            var id = ""
            do {
                try await step("write-intent", cgroup) {
                    id = machine.intend(
                        SimulatedMachine.Instance(
                            id: "", podUID: uid, podNamespace: pod.metadata.namespace ?? "",
                            podName: pod.metadata.name ?? "", container: container.name, attempt: attempt,
                            sandboxID: sandbox.id, definitionHash: world.definitionHash(container),
                            image: container.image ?? "", cgroup: cgroup, script: ProcessScript(),
                            gracePeriodSeconds: pod.spec.terminationGracePeriodSeconds,
                            postStart: container.lifecycle?.postStart == nil || world.mutations.skips(.forgetsHooks)
                                ? nil : .pending))
                }
                try await step("spawn", "\(cgroup) \(id)") { machine.spawn(id) }
            } catch let error as PodHostError {
                if id.isEmpty { machine.removeCgroup(cgroup) } else { machine.remove(id) }
                throw PodHostError(reason: "CreateContainerError", message: error.message)
            }
            world.mutations.afterCreating(id, world: world)
            return id
        }
    }

    func startContainer(_ id: String) async throws(PodHostError) {
        try await call {
            try await pause()
            guard let instance = machine.instances[id], instance.state == .created else {
                throw PodHostError(reason: "RunContainerError", message: "container \(id) is not created")
            }
            var runs = false
            try await step("release", "\(instance.cgroup) \(id)") { runs = machine.release(id) }
            guard runs else {
                throw PodHostError(reason: "RunContainerError", message: "the program cannot be executed")
            }
            if world.faults.losesReply() {
                throw PodHostError(reason: "RunContainerError", message: "the monitor did not answer in time")
            }
            try await pause()
        }
    }

    func stopContainer(_ id: String, gracePeriod: Duration) async {
        do { try await stop(id, world.mutations.grace(gracePeriod, id: id, world: world)) } catch { return }
    }

    private func stop(_ id: String, _ grace: Duration) async throws {
        if !incarnation.isAlive { throw Dead() }
        try await pause()
        if Task.isCancelled { return }
        guard let instance = machine.instances[id], instance.exit == nil else { return }
        if grace > .zero, instance.isRunning {
            try await step("signal", "\(instance.cgroup) \(id)", canFail: false) { machine.terminate(id) }
            // Cancelled, it leaves the rest to whoever comes next.
            guard try await waitForExit(id, atMost: grace) == false else { return }
            if world.mutations.skips(.neverKills) {
                _ = try await waitForExit(id, atMost: nil)
                return
            }
        }
        try await step("kill", "\(instance.cgroup) \(id)", canFail: false) { machine.kill(id) }
    }

    /// Whether it ended in time. Throws when cancelled or dead.
    private func waitForExit(_ id: String, atMost grace: Duration?) async throws -> Bool {
        guard machine.instances[id]?.exit == nil, machine.instances[id] != nil else { return true }
        let incarnation = incarnation
        try await incarnation.waitForHand(cancellable: true) { key in
            machine.whenExited(id) { incarnation.hand(key) }
            if let grace { incarnation.timeline.after(grace) { incarnation.hand(key) } }
        }
        return machine.instances[id].map { $0.exit != nil } ?? true
    }

    func recordPostStart(_ state: PostStartState?, of id: String) async {
        guard incarnation.isAlive, !world.mutations.skips(.forgetsHooks) else { return }
        try? await step("record-hook", id, canFail: false) { machine.recordPostStart(state, of: id) }
    }

    func removeContainer(_ id: String) async {
        guard incarnation.isAlive, let instance = machine.instances[id], instance.exit != nil else { return }
        try? await step("remove-record", "\(instance.podUID) \(id)", canFail: false) { machine.remove(id) }
    }

    func execute(_ command: [String], in id: String, timeout: Duration?) async -> ProbeExecutionResult {
        if let pretended = world.mutations.pretendedResult(of: command) { return pretended }
        do throws(PodHostError) {
            switch try await end(of: command, in: id, timeout: timeout) {
            case .exited(let code): return .exited(code: world.mutations.exitCode(code, of: command), output: [])
            case .timedOut: return .timedOut
            }
        } catch {
            return world.mutations.active == .countsErrors
                ? .exited(code: 1, output: []) : .notRun(message: error.message)
        }
    }

    private func end(
        of command: [String], in id: String, timeout: Duration?
    ) async throws(PodHostError) -> CommandEnd {
        try await call {
            guard let instance = machine.instances[id], instance.isRunning,
                let asked = ScriptedCommand(rawValue: command.first ?? "")
            else { throw PodHostError(reason: "ExecFailed", message: "container \(id) does not run") }
            if asked != .preStop, world.faults.commandsFail() {
                world.checker.commandFailed(asked, instance)
                throw PodHostError(reason: "ExecFailed", message: "too many open files")
            }
            world.note("host execute \(asked.rawValue) in \(instance.cgroup)")
            world.checker.commandBegins(asked, instance)
            let isHook = asked == .preStop || asked == .postStart
            let takes = isHook ? instance.script.hookTakes : instance.script.commandTakes
            try await world.crashPoint("before execute \(asked.rawValue)", incarnation)
            // Whoever ends first: the command, its time, or the container with everything in it.
            _ = try await waitForExit(id, atMost: min(takes, timeout ?? takes))
            try await world.crashPoint("after execute \(asked.rawValue)", incarnation)
            let result = answer(asked, id, timedOut: timeout.map { $0 < takes } ?? false)
            if result != .exited(0) { world.note("host \(asked.rawValue) in \(instance.cgroup): \(result)") }
            world.checker.commandEnded(asked, instance, result)
            return result
        }
    }

    private func answer(_ asked: ScriptedCommand, _ id: String, timedOut: Bool) -> CommandEnd {
        guard let instance = machine.instances[id], instance.isRunning else {
            return .exited(137)
        }
        if timedOut { return .timedOut }
        let age = machine.timeline.now - instance.startedAt
        let isGood: Bool
        switch asked {
        case .liveness: isGood = instance.script.isLive(at: age)
        case .readiness: isGood = instance.script.isReady(at: age)
        case .startup: isGood = instance.script.hasStarted(at: age)
        case .preStop, .postStart: return .exited(instance.script.hookCode)
        }
        return .exited(isGood ? 0 : 1)
    }
}
