import KubernetesAPI
import NodeAgent
import Probes

/// Where the planted bugs take hold. Without one, everything passes through unchanged.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class Mutations: @unchecked Sendable {
    let active: Mutant?
    private var counter = 0
    private var firstGrace: [String: Duration] = [:]

    init(_ active: Mutant?) { self.active = active }

    func skips(_ mutant: Mutant) -> Bool { active == mutant }

    // MARK: Host

    func observation(_ observation: PodObservation, world: World) -> PodObservation {
        guard active == .wrongExitCode || active == .hastyInits else { return observation }
        var observation = observation
        for index in observation.containers.indices {
            let container = observation.containers[index]
            if active == .wrongExitCode, case .exited(var end) = container.state {
                end.exitCode += 1
                observation.containers[index].state = .exited(end)
            } else if active == .hastyInits, container.name.hasPrefix("init"), container.isRunning {
                observation.containers[index].state = .exited(
                    ContainerStateTerminated(exitCode: 0, reason: "Completed", finishedAt: world.wallClock()))
            }
        }
        return observation
    }

    func definitionHash(_ hash: String) -> String {
        guard active == .unstableHash else { return hash }
        counter += 1
        return counter % 3 == 0 ? hash + "?" : hash
    }

    func afterCreating(_ id: String, world: World) {
        if active == .startsUnasked { _ = world.machine.release(id, isAsked: false) }
        if active == .runsTwice, let instance = world.machine.instances[id] {
            var twin = instance
            twin.cgroup += "-twin"
            let twinID = world.machine.intend(twin)
            world.machine.spawn(twinID)
            world.timeline.after(.seconds(1)) {
                guard world.machine.instances[id]?.isRunning == true else { return }
                _ = world.machine.release(twinID)
            }
        }
    }

    func beforeReleasing(_ uid: String, world: World) {
        guard active == .deletesEarly, let ledger = world.checker.ledger(uid), ledger.deletionAskedAt != nil else {
            return
        }
        _ = world.api.delete(ledger.pod.key, grace: 0, uid: uid, byAgent: true)
    }

    func afterForgetting(_ uid: String, world: World) {
        guard active == .revivesPods, let run = world.checker.ledger(uid)?.runs.last else { return }
        let id = world.machine.intend(
            SimulatedMachine.Instance(
                id: "", podUID: uid, podNamespace: "default", podName: "", container: run.container,
                attempt: run.attempt + 1, sandboxID: run.sandboxID, definitionHash: "", image: run.image,
                cgroup: "\(uid)/\(run.container).again", script: run.script))
        world.machine.spawn(id)
        _ = world.machine.release(id)
    }

    func grace(_ grace: Duration, id: String, world: World) -> Duration {
        switch active {
        case .skipsGrace: return .zero
        case .keepsGrace:
            let first = firstGrace[id] ?? grace
            firstGrace[id] = first
            return first
        case .stopsAnother:
            let uid = world.machine.instances[id]?.podUID
            let other = world.machine.instances.values.filter { $0.podUID != uid && $0.isRunning }
                .min { $0.id < $1.id }
            if let other { world.machine.terminate(other.id) }
            return grace
        default: return grace
        }
    }

    func atBoot(world: World, isFirst: Bool) {
        guard !isFirst else { return }
        if active == .killsAtBoot {
            for instance in world.machine.instances.values.sorted(by: { $0.id < $1.id }) where instance.isRunning {
                world.machine.kill(instance.id)
            }
        } else if active == .losesRecords {
            for instance in world.machine.instances.values.sorted(by: { $0.id < $1.id }) where instance.isRunning {
                world.machine.hide(instance.id)
            }
        }
    }

    // MARK: Clock

    /// The agent's time for the machine's, and back.
    func agentTime(_ time: Duration, wallOffset: Duration) -> Duration {
        switch active {
        case .fastTimers: time * 10
        case .slowTimers: time / 10
        case .wallTimers: time + wallOffset
        default: time
        }
    }

    func machineTime(_ time: Duration, wallOffset: Duration) -> Duration {
        switch active {
        case .fastTimers: time / 10
        case .slowTimers: time * 10
        case .wallTimers: time - wallOffset
        default: time
        }
    }

    // MARK: Endpoint

    func drops(_ record: SimulatedAPI.Record) -> Bool {
        switch active {
        case .dropsRemovals: record.change == .deleted
        case .dropsDeletions: record.change == .modified && record.pod.metadata.deletionTimestamp != nil
        default: false
        }
    }

    func list(_ items: inout [Pod], world: World) {
        guard active == .partialLists, items.count > 1 else { return }
        counter += 1
        if counter % 2 == 0 { items.removeLast() }
    }

    func swallowedPatch(_ key: String, _ body: JSONValue, world: World) -> Pod? {
        guard active == .acknowledgesEarly, let pod = world.api.pods[key] else { return nil }
        counter += 1
        guard counter % 3 == 0 else { return nil }
        var pretended = pod
        let before = (try? JSONValueEncoder().encode(pod.status ?? PodStatus())) ?? [:]
        if let after = try? StrategicMergePatch.apply(body["status"] ?? [:], to: before, as: PodStatus.self) {
            pretended.status = try? JSONValueDecoder().decode(PodStatus.self, from: after)
        }
        return pretended
    }

    func patch(_ body: JSONValue, world: World) -> JSONValue {
        var body = body
        switch active {
        case .ignoresUID: body["metadata"] = nil
        case .resetsRestartCounts:
            let statuses = body["status"]?["containerStatuses"]?.arrayValue?.map { status -> JSONValue in
                var status = status
                if status["restartCount"]?.intValue ?? 0 > 1 { status["restartCount"] = 0 }
                return status
            }
            if let statuses { body["status"]?["containerStatuses"] = .array(statuses) }
        case .revivesPhase:
            counter += 1
            if counter % 5 == 0 { body["status"]?["phase"] = "Running" }
            if counter % 5 == 1 { body["status"]?["phase"] = "Pending" }
        default: break
        }
        return body
    }

    // MARK: Commands

    func pretendedResult(of command: [String]) -> ProbeExecutionResult? {
        active == .skipsPreStop && command.first == ScriptedCommand.preStop.rawValue
            ? .exited(code: 0, output: []) : nil
    }

    func exitCode(_ code: Int32, of command: [String]) -> Int32 {
        switch (active, command.first) {
        case (.alwaysReady, ScriptedCommand.readiness.rawValue), (.alwaysLive, ScriptedCommand.liveness.rawValue): 0
        default: code
        }
    }
}
