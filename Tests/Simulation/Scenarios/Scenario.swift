import KubernetesAPI
import NodeAgent

/// A short story with known ends, lived again and again with the agent killed at another place each time.
struct Scenario {
    let name: String
    /// Sets the stage: pods, users, programs.
    /// How long until nothing more is asked.
    var lasts = Duration.seconds(30)
    let tell: (Stage) -> Void

    /// Lives the story with the agent killed at the given crash points.
    func run(crashingAt points: Set<Int>, keepsTrace: Bool = false) -> World {
        let world = World(seed: 7, keepsTrace: keepsTrace)
        world.crashPlan = .at(points)
        world.restartDelay = 0.2...1.5
        world.faults.areOn = false
        world.note("scenario \(name) crashing at \(points.sorted())")
        tell(Stage(world: world))
        world.boot()
        world.run(until: lasts)
        world.checker.becomeCalm()
        world.run(until: lasts + .seconds(100))
        if world.checker.violations.isEmpty { world.checker.checkConverged() }
        for key in world.api.pods.keys.sorted() { _ = world.api.delete(key, grace: nil, uid: nil, byAgent: false) }
        for uid in world.manifests.keys.sorted() { world.removeManifest(uid) }
        world.run(until: world.now + .seconds(75))
        if world.checker.violations.isEmpty { world.checker.checkEmpty() }
        if let life = world.incarnation {
            life.kill()
            _ = life.drain()
        }
        return world
    }
}

/// What a scenario is told with.
final class Stage {
    let world: World

    init(world: World) { self.world = world }

    /// A pod with one container `app`, or more by name.
    func pod(
        _ name: String = "pod", policy: String = "Always", grace: Int64 = 5, inits: [Container] = [],
        apps: [Container]? = nil, at time: Duration = .milliseconds(100), edit: (inout Pod) -> Void = { _ in },
        scripts: [String: ContainerScripts] = [:]
    ) {
        var spec = PodSpec(containers: apps ?? [Container(name: "app", image: "app:v1")])
        spec.initContainers = inits.isEmpty ? nil : inits
        spec.restartPolicy = policy
        spec.terminationGracePeriodSeconds = grace
        spec.nodeName = AgentAssembly.nodeName
        var pod = Pod(metadata: ObjectMeta(name: name, namespace: "default"), spec: spec)
        edit(&pod)
        world.timeline.at(time) { [world, pod] in
            guard let uid = world.api.create(pod) else { return }
            world.plans[uid] = scripts
        }
    }

    func manifest(
        _ name: String, version: Int, at time: Duration, replacing old: Int? = nil, grace: Int64 = 2,
        scripts: [String: ContainerScripts] = [:]
    ) {
        var spec = PodSpec(containers: [Container(name: "app", image: "app:v\(version)")])
        spec.terminationGracePeriodSeconds = grace
        var pod = Pod(
            metadata: ObjectMeta(
                name: name, namespace: "default", uid: "static-\(name)-\(version)",
                annotations: [PodAnnotations.source: PodSource.file.rawValue, PodAnnotations.hash: "\(version)"]),
            spec: spec)
        pod.applyDefaults()
        pod.status = PodStatus(phase: PodPhase.pending.rawValue)
        world.timeline.at(time) { [world, pod] in
            let uid = pod.metadata.uid ?? ""
            world.plans[uid] = scripts
            world.putManifest(pod)
            if let old { world.removeManifest("static-\(name)-\(old)") }
        }
    }

    func at(_ time: Duration, _ body: @escaping (World) -> Void) {
        world.timeline.at(time) { [world] in body(world) }
    }

    func delete(_ name: String = "pod", grace: Int64? = nil, at time: Duration) {
        at(time) { world in
            if grace == 0 {
                world.api.deleteNow("default/\(name)")
            } else {
                _ = world.api.delete("default/\(name)", grace: grace, uid: nil, byAgent: false)
            }
        }
    }

    static func probe(
        _ command: ScriptedCommand, period: Int32 = 1, failures: Int32 = 2, grace: Int64? = nil
    ) -> Probe {
        var probe = Probe(exec: ExecAction(command: [command.rawValue]))
        probe.periodSeconds = period
        probe.failureThreshold = failures
        probe.terminationGracePeriodSeconds = grace
        return probe
    }

    static func hook(_ command: ScriptedCommand) -> LifecycleHandler {
        LifecycleHandler(exec: ExecAction(command: [command.rawValue]))
    }
}
