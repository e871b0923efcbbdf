import KubernetesAPI
import NodeAgent

/// Makes pods of every kind, and what their programs will do.
struct PodGenerator {
    var random: RandomSource
    private var count = 0

    init(seed: UInt64) { random = RandomSource(seed: seed, purpose: "pods") }

    struct Made {
        var pod: Pod
        var scripts: [String: ContainerScripts]
    }

    mutating func make(name: String? = nil) -> Made {
        count += 1
        let policy = random.pick(["Always", "Always", "Always", "OnFailure", "OnFailure", "Never"])
        var scripts: [String: ContainerScripts] = [:]
        var inits: [Container] = []
        for index in 0..<random.pick([0, 0, 0, 1, 1, 2]) {
            let isSidecar = random.chance(0.45)
            let name = "\(isSidecar ? "side" : "init")\(index)"
            var container = Container(name: name, image: "tool:v1")
            scripts[name] = isSidecar ? sidecarScripts() : initScripts()
            if isSidecar {
                container.restartPolicy = "Always"
                addProbes(&container, &scripts, chance: 0.3)
                addHooks(&container, chance: 0.2)
            }
            inits.append(container)
        }
        var apps: [Container] = []
        for index in 0..<random.pick([1, 1, 1, 2, 3]) {
            let name = "app\(index)"
            var container = Container(name: name, image: random.chance(0.02) ? "missing:v1" : "app:v1")
            scripts[name] = policy == "Always" ? serviceScripts() : jobScripts()
            addProbes(&container, &scripts, chance: 0.35)
            addHooks(&container, chance: 0.25)
            if policy == "Never", random.chance(0.15) {
                container.restartPolicy = "Never"
                container.restartPolicyRules = [
                    ContainerRestartRule(
                        action: "Restart", exitCodes: ContainerRestartRuleOnExitCodes(operator: "In", values: [3]))
                ]
            }
            apps.append(container)
        }
        var spec = PodSpec(containers: apps)
        spec.initContainers = inits.isEmpty ? nil : inits
        spec.restartPolicy = policy
        spec.terminationGracePeriodSeconds = random.pick([1, 2, 5, 10, 30])
        spec.nodeName = AgentAssembly.nodeName
        if random.chance(0.05) { spec.activeDeadlineSeconds = Int64(5 + random.below(60)) }
        if random.chance(0.03) { spec.readinessGates = [PodReadinessGate(conditionType: "example.com/gate")] }
        let prefix = random.chance(0.02) ? World.refusedPrefix : "pod"
        let metadata = ObjectMeta(name: name ?? "\(prefix)\(count)", namespace: "default")
        return Made(pod: Pod(metadata: metadata, spec: spec), scripts: scripts)
    }

    /// As the manifest reader hands them over.
    mutating func makeStatic(name: String, version: Int) -> Made {
        var made = make(name: name)
        made.pod.metadata.uid = "static-\(name)-\(version)"
        made.pod.metadata.annotations = [
            PodAnnotations.source: PodSource.file.rawValue, PodAnnotations.hash: "\(version)",
        ]
        made.pod.spec.activeDeadlineSeconds = nil
        made.pod.applyDefaults()
        made.pod.status = PodStatus(phase: PodPhase.pending.rawValue)
        return made
    }

    // MARK: Programs

    private mutating func serviceScripts() -> ContainerScripts {
        var list: [ProcessScript] = []
        for _ in 0..<random.pick([0, 0, 0, 1, 2, 4]) {
            var script = ProcessScript(lifetime: random.duration(0.02...25), exitCode: random.pick([0, 1, 3, 137]))
            finish(&script)
            list.append(script)
        }
        var last = ProcessScript()
        if random.chance(0.12) { last.lifetime = random.duration(0.02...5) }
        if last.lifetime != nil { last.exitCode = random.pick([0, 1]) }
        finish(&last)
        return ContainerScripts(list: list + [last])
    }

    private mutating func jobScripts() -> ContainerScripts {
        var list: [ProcessScript] = []
        for _ in 0..<random.pick([0, 0, 1, 2]) {
            var script = ProcessScript(lifetime: random.duration(0.02...20), exitCode: random.pick([1, 2, 3]))
            finish(&script)
            list.append(script)
        }
        var last = ProcessScript(lifetime: random.duration(0.02...60), exitCode: random.pick([0, 0, 0, 1]))
        if random.chance(0.2) { last.lifetime = nil }
        finish(&last)
        return ContainerScripts(list: list + [last])
    }

    private mutating func initScripts() -> ContainerScripts {
        var list: [ProcessScript] = []
        if random.chance(0.25) {
            var script = ProcessScript(lifetime: random.duration(0.02...5), exitCode: 1)
            finish(&script)
            list.append(script)
        }
        var last = ProcessScript(lifetime: random.duration(0.02...8))
        finish(&last)
        return ContainerScripts(list: list + [last])
    }

    private mutating func sidecarScripts() -> ContainerScripts {
        var script = ProcessScript()
        if random.chance(0.15) { script.lifetime = random.duration(1...30) }
        finish(&script)
        return ContainerScripts(script)
    }

    private mutating func finish(_ script: inout ProcessScript) {
        switch random.below(6) {
        case 0: script.onTerminate = .ignores
        case 1: script.onTerminate = .exits(after: random.duration(1...12), code: 0)
        case 2: script.onTerminate = .exits(after: .milliseconds(20), code: 143)
        default: script.onTerminate = .exits(after: random.duration(0.01...0.5), code: 0)
        }
        if random.chance(0.03) { script.failsToStart = true }
        script.commandTakes = random.duration(0.005...0.05)
        if random.chance(0.04) { script.commandTakes = random.duration(1.5...4) }
        script.hookTakes = random.chance(0.2) ? random.duration(1...20) : random.duration(0.01...0.5)
        script.hookCode = random.chance(0.1) ? 1 : 0
    }

    // MARK: Probes and hooks

    private mutating func probe(_ command: ScriptedCommand) -> Probe {
        var probe = Probe(exec: ExecAction(command: [command.rawValue]))
        probe.periodSeconds = Int32(random.pick([1, 2, 5, 10]))
        probe.timeoutSeconds = 1
        probe.failureThreshold = Int32(1 + random.below(3))
        probe.successThreshold = 1
        probe.initialDelaySeconds = Int32(random.pick([0, 0, 0, 3]))
        return probe
    }

    private mutating func addProbes(
        _ container: inout Container, _ scripts: inout [String: ContainerScripts], chance: Double
    ) {
        guard var list = scripts[container.name]?.scripts else { return }
        if random.chance(chance) {
            var probe = probe(.liveness)
            if random.chance(0.3) { probe.terminationGracePeriodSeconds = Int64(random.pick([1, 3, 8])) }
            container.livenessProbe = probe
            if random.chance(0.4) { list[0].livenessFailsAfter = random.duration(1...40) }
        }
        if random.chance(chance) {
            var probe = probe(.readiness)
            probe.successThreshold = Int32(1 + random.below(2))
            container.readinessProbe = probe
            for index in list.indices {
                var at = Duration.zero
                list[index].readinessChanges = (0..<random.pick([1, 1, 1, 2, 3])).map { _ in
                    at += random.duration(0...20)
                    return at
                }
            }
        }
        if random.chance(chance * 0.7) {
            var probe = probe(.startup)
            probe.failureThreshold = 5
            container.startupProbe = probe
            for index in list.indices {
                list[index].startedAfter = random.chance(0.9) ? random.duration(0...4) : nil
            }
        }
        scripts[container.name] = ContainerScripts(list: list)
    }

    private mutating func addHooks(_ container: inout Container, chance: Double) {
        var lifecycle = Lifecycle()
        if random.chance(chance) {
            lifecycle.preStop = LifecycleHandler(exec: ExecAction(command: [ScriptedCommand.preStop.rawValue]))
        }
        if random.chance(chance * 0.5) {
            lifecycle.postStart = LifecycleHandler(exec: ExecAction(command: [ScriptedCommand.postStart.rawValue]))
        }
        if lifecycle.preStop != nil || lifecycle.postStart != nil { container.lifecycle = lifecycle }
    }
}
