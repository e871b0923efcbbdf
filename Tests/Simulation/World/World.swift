import KubernetesAPI
import NodeAgent

/// One simulated machine with its control endpoint, its agent, its users and its misfortunes.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class World: @unchecked Sendable {
    enum CrashPlan {
        case never
        case random
        /// At the given crash points, counted from the beginning.
        case at(Set<Int>)
    }

    let seed: UInt64
    let timeline = Timeline()
    let machine: SimulatedMachine
    let api: SimulatedAPI
    let faults: Faults
    let checker: Checker
    let mutations: Mutations
    var trace: Trace
    /// The world's own dice: order of jobs and of simultaneous events.
    private var random: RandomSource
    private var agentRandom: RandomSource
    var crashPlan = CrashPlan.random
    private(set) var crashPoints = 0
    private(set) var crashes = 0
    /// How long the agent is away after a crash.
    var restartDelay: ClosedRange<Double> = 0.05...4
    private(set) var incarnation: Incarnation?
    private var host: SimulatedHost?
    private(set) var agent: NodeAgent?
    private var incarnations = 0
    private var crashedAt: String?
    /// Pods of manifest files, by UID: on disk, so they outlive the agent.
    private(set) var manifests: [String: Pod] = [:]
    private var fileUpdates: AsyncStream<PodUpdate>.Continuation?
    var plans: [String: [String: ContainerScripts]] = [:]
    /// Pods whose name begins so are not taken by the node.
    static let refusedPrefix = "refused"
    private(set) var wallOffset: Duration = .zero
    private(set) var jobs = 0
    /// For finding where two worlds part.
    var notesJobs = false
    static let epoch = Timestamp(seconds: 1_780_000_000)

    init(seed: UInt64, mutant: Mutant? = nil, keepsTrace: Bool = false) {
        self.seed = seed
        machine = SimulatedMachine(timeline: timeline)
        api = SimulatedAPI(timeline: timeline)
        faults = Faults(seed: seed)
        checker = Checker(timeline: timeline)
        mutations = Mutations(mutant)
        trace = Trace(isKept: keepsTrace)
        random = RandomSource(seed: seed, purpose: "world")
        agentRandom = RandomSource(seed: seed, purpose: "agent")
        checker.machine = machine
        checker.api = api
        checker.note = { [unowned self] in note($0) }
        machine.checker = checker
        machine.wallClock = { [unowned self] in wallClock() }
        machine.onChange = { [unowned self] uid in tellAgent(uid) }
        machine.scripts = { [unowned self] uid, container in plans[uid]?[container] }
        api.checker = checker
        api.wallClock = { [unowned self] in wallClock() }
        api.note = { [unowned self] in note($0) }
    }

    var now: Duration { timeline.now }

    func note(_ text: String) { trace.add(now, text) }

    func drawOrder() -> UInt64 { random.next() }

    func agentUnit() -> Double { agentRandom.unit() }

    func wallClock() -> Timestamp { Self.epoch.advanced(by: now + wallOffset) }

    func jumpWallClock(by offset: Duration) {
        wallOffset += offset
        checker.clockHasJumped = true
    }

    /// As the agent computes it: name and image only.
    func definitionHash(_ container: Container) -> String {
        mutations.definitionHash("\(container.name)|\(container.image ?? "")")
    }

    private func tellAgent(_ uid: String) {
        guard let host, !mutations.skips(.losesEvents) else { return }
        timeline.after(.microseconds(Int64(100 + random.below(3000))), order: drawOrder()) { host.tell(uid) }
    }

    // MARK: Manifest files

    func putManifest(_ pod: Pod) {
        let uid = pod.metadata.uid ?? ""
        note("manifest \(pod.key) \(uid) is written")
        manifests[uid] = pod
        checker.desired(pod)
        fileUpdates?.yield(.applied(pod, source: .file))
    }

    func removeManifest(_ uid: String) {
        guard let pod = manifests.removeValue(forKey: uid) else { return }
        note("manifest \(pod.key) \(uid) is removed")
        checker.removed(pod, byAgent: false)
        fileUpdates?.yield(.removed(pod, source: .file))
    }

    // MARK: The agent's lives

    func boot() {
        guard incarnation == nil else { return }
        incarnations += 1
        note("agent \(incarnations) starts")
        machine.adopt()
        mutations.atBoot(world: self, isFirst: incarnations == 1)
        checker.agentStarts(incarnations)
        let life = Incarnation(number: incarnations, timeline: timeline)
        life.order = { [unowned self] in drawOrder() }
        let host = SimulatedHost(world: self, incarnation: life)
        let (files, continuation) = AsyncStream<PodUpdate>.makeStream()
        for uid in manifests.keys.sorted() {
            if let pod = manifests[uid] { continuation.yield(.applied(pod, source: .file)) }
        }
        continuation.yield(.snapshotComplete(source: .file))
        (incarnation, self.host, fileUpdates) = (life, host, continuation)
        agent = AgentAssembly.start(world: self, incarnation: life, host: host, files: files)
    }

    /// SIGTERM, and a new agent some time after its end.
    func restartGracefully(after delay: Duration) {
        guard let life = incarnation else { return }
        note("agent \(life.number) is told to stop")
        checker.agentStops()
        life.stop()
        let deadline = now + .seconds(20)
        func look() {
            guard incarnation === life else { return }
            if life.hasEnded {
                note("agent \(life.number) has stopped")
                (incarnation, host, fileUpdates, agent) = (nil, nil, nil, nil)
                checker.agentIsGone()
                timeline.after(delay) { [unowned self] in boot() }
            } else if now > deadline {
                checker.violation("K15", "the agent does not stop within 20 s", "agent \(life.number)")
                crash("stuck while stopping")
            } else {
                timeline.after(.milliseconds(100)) { look() }
            }
        }
        look()
    }

    func crash(_ place: String) {
        guard let life = incarnation, life.isAlive else { return }
        life.kill()
        crashedAt = place
        crashes += 1
    }

    func reboot() {
        note("the machine reboots")
        if let life = incarnation { life.kill() }
        finishCrash(boots: false)
        machine.reboot()
        checker.rebooted()
        timeline.after(.seconds(5)) { [unowned self] in boot() }
    }

    private func finishCrash(boots: Bool = true) {
        guard let life = incarnation else { return }
        note("agent \(life.number) is killed \(crashedAt ?? "")")
        crashedAt = nil
        if !life.drain() { checker.violation("RIG", "tasks of a killed agent do not end", "agent \(life.number)") }
        (incarnation, host, fileUpdates, agent) = (nil, nil, nil, nil)
        checker.agentIsGone()
        guard boots else { return }
        timeline.after(random.duration(restartDelay)) { [unowned self] in boot() }
    }

    /// A place at which the agent may be killed. Throws when it is.
    func crashPoint(_ name: String, _ life: Incarnation) async throws {
        if !life.isAlive { throw SimulatedHost.Dead() }
        crashPoints += 1
        let strikes: Bool
        switch crashPlan {
        case .never: strikes = false
        case .random: strikes = faults.crashes()
        case .at(let points): strikes = points.contains(crashPoints)
        }
        guard strikes, life === incarnation else { return }
        crash(name)
        try await life.suspend(until: nil)
    }

    // MARK: Time

    /// Runs until a moment, or until the first violation.
    func run(until end: Duration) {
        var sinceAdvance = 0
        while checker.violations.isEmpty {
            if let life = incarnation, !life.isAlive {
                finishCrash()
                continue
            }
            if let life = incarnation, !life.executor.isIdle {
                life.executor.run(random.below(life.executor.count))
                jobs += 1
                sinceAdvance += 1
                if sinceAdvance > 50_000 {
                    checker.violation("RIG", "the agent is busy and time does not go on", "")
                }
                continue
            }
            guard let next = timeline.next, next <= end else { break }
            if next > now { sinceAdvance = 0 } else { sinceAdvance += 1 }
            if notesJobs { note("jobs \(jobs)") }
            timeline.advance()
        }
        timeline.jump(to: end)
    }
}
