import KubernetesAPI

/// A world drawn from a seed: pods, users, faults, and the agent's deaths.
struct RandomWorld {
    /// What kind of misfortune there is.
    enum Climate: Int, CaseIterable {
        case calm, crashes, endpoint, host, clock, everything
    }

    let world: World
    private var random: RandomSource
    private var pods: PodGenerator
    private let climate: Climate
    private let activeTime: Duration
    /// For worlds that are run a second time with the wall clock left alone.
    private let jumps: Bool
    private var keys: [String] = []
    private var staticNames: [String: (uid: String, version: Int)] = [:]
    /// A definition has one UID, and a UID one definition.
    private var definitions: [String: PodGenerator.Made] = [:]

    /// The longest grace a generated pod has.
    static let longestGrace = Duration.seconds(30)

    init(seed: UInt64, mutant: Mutant? = nil, keepsTrace: Bool = false, jumps: Bool = true) {
        world = World(seed: seed, mutant: mutant, keepsTrace: keepsTrace)
        random = RandomSource(seed: seed, purpose: "plan")
        pods = PodGenerator(seed: seed)
        climate = random.pick(Climate.allCases + [.everything, .crashes])
        activeTime = random.duration(20...160)
        self.jumps = jumps
    }

    /// Whether a second run without clock jumps has to give the same trace.
    var isClockWorld: Bool { climate == .clock }

    /// Lives the world from beginning to end.
    @discardableResult
    mutating func run() -> World {
        world.note("world \(world.seed) climate \(climate) active \(activeTime)")
        setRates()
        plan()
        world.run(until: activeTime)
        world.faults.areOn = false
        world.faults.isEndpointDown = false
        world.note("calm")
        world.checker.becomeCalm()
        world.run(until: activeTime + .seconds(130))
        guard world.checker.violations.isEmpty else { return world }
        world.checker.checkConverged()
        guard world.checker.violations.isEmpty else { return world }
        deleteAll()
        world.run(until: world.now + Self.longestGrace + .seconds(75))
        // What was kept for a while goes when that is over.
        if let until = world.checker.deletionsHeldUntil { world.run(until: until + Self.longestGrace) }
        if world.checker.violations.isEmpty { world.checker.checkEmpty() }
        stop()
        return world
    }

    private mutating func setRates() {
        var rates = Faults.Rates()
        let share = random.pick([0.3, 1.0, 1.0, 2.5])
        if climate == .crashes || climate == .everything { rates.crash = 0.004 * share }
        if climate == .endpoint || climate == .everything {
            rates.apiError = 0.08 * share
            rates.lostAnswer = 0.05 * share
            rates.apiSlow = 0.05 * share
            rates.watchBreak = min(1, 0.6 * share)
            rates.swap = 0.1 * share
            rates.twice = 0.1 * share
            rates.stale = 0.5
        }
        if climate == .host || climate == .everything {
            rates.hostError = 0.03 * share
            rates.hostSlow = 0.03 * share
            rates.lostReply = 0.03 * share
            rates.image = 0.05 * share
            rates.command = 0.05 * share
        }
        world.faults.rates = rates
        world.checker.hasPromptHost = rates.hostSlow == 0 && rates.hostError == 0
    }

    // MARK: Users

    private mutating func plan() {
        for _ in 0..<(1 + random.below(4)) { create(at: random.duration(0...3)) }
        world.timeline.at(random.duration(0...2)) { [world] in world.boot() }
        for _ in 0..<random.below(14) { act(at: random.duration(1...(activeTime / .seconds(1) - 1))) }
        switch climate {
        case .crashes, .everything:
            if random.chance(0.3) { restart(at: somewhere()) }
            if random.chance(0.1) { world.timeline.at(somewhere()) { [world] in world.reboot() } }
        case .calm:
            if random.chance(0.4) { restart(at: somewhere()) }
        case .clock:
            for _ in 0..<(1 + random.below(3)) { jump(at: somewhere()) }
        case .endpoint, .host: break
        }
        if climate == .endpoint || climate == .everything {
            if random.chance(0.4) { outage(at: somewhere(), lasts: random.duration(1...60)) }
            world.timeline.at(somewhere()) { [world] in world.api.compact() }
        }
    }

    private mutating func somewhere() -> Duration { random.duration(1...(activeTime / .seconds(1) - 1)) }

    private mutating func create(at time: Duration, name: String? = nil) {
        let made = pods.make(name: name)
        let key = "default/\(made.pod.metadata.name ?? "")"
        if !keys.contains(key) { keys.append(key) }
        world.timeline.at(time) { [world] in
            guard let uid = world.api.create(made.pod) else { return }
            world.plans[uid] = made.scripts
        }
    }

    private mutating func act(at time: Duration) {
        let (api, world) = (world.api, world)
        let key = random.pick(keys)
        switch random.below(12) {
        case 0, 1: create(at: time)
        case 2, 3:
            world.timeline.at(time) { _ = api.delete(key, grace: nil, uid: nil, byAgent: false) }
        case 4:
            let grace = Int64(random.pick([1, 2, 5, 20]))
            world.timeline.at(time) { _ = api.delete(key, grace: grace, uid: nil, byAgent: false) }
            let shorter = Int64(random.pick([1, 2]))
            let later = time + random.duration(0.2...5)
            if random.chance(0.5) {
                world.timeline.at(later) {
                    guard api.pods[key]?.metadata.deletionTimestamp != nil else { return }
                    _ = api.delete(key, grace: shorter, uid: nil, byAgent: false)
                }
            }
        case 5: world.timeline.at(time) { api.deleteNow(key) }
        case 6:
            // Gone and made again under the same name.
            world.timeline.at(time) { api.deleteNow(key) }
            create(at: time + random.duration(0...2), name: String(key.dropFirst("default/".count)))
        case 7:
            let image = random.pick(["app:v2", "app:v3"])
            world.timeline.at(time) {
                guard api.pods[key]?.metadata.deletionTimestamp == nil, api.pods[key]?.isTerminal == false else {
                    return
                }
                world.note("user edits image of \(key)")
                api.edit(key) { $0.spec.containers[0].image = image }
            }
        case 8:
            world.timeline.at(time) { api.edit(key) { $0.metadata.labels = ["edited": "yes"] } }
        case 9: strike(at: time)
        default: editManifests(at: time)
        }
    }

    /// A program dies that nobody told to.
    private mutating func strike(at time: Duration) {
        let number = random.below(1000)
        world.timeline.at(time) { [world] in
            let running = world.machine.instances.values.filter(\.isRunning).sorted { $0.id < $1.id }
            guard !running.isEmpty else { return }
            let victim = running[number % running.count]
            world.note("out of memory: \(victim.cgroup)")
            world.machine.end(victim.id, code: 137, reason: "OOMKilled")
        }
    }

    private mutating func editManifests(at time: Duration) {
        let name = random.pick(["web", "db"])
        let old = staticNames[name]
        if let old, random.chance(0.3) {
            staticNames[name] = nil
            world.timeline.at(time) { [world] in world.removeManifest(old.uid) }
            return
        }
        let version = (old?.version ?? random.below(2) * 100) + 1
        let definition = "\(name) \(version)"
        let made = definitions[definition] ?? pods.makeStatic(name: name, version: version)
        definitions[definition] = made
        let uid = made.pod.metadata.uid ?? ""
        staticNames[name] = (uid, version)
        let updates = random.chance(0.5)
        world.timeline.at(time) { [world] in
            world.plans[uid] = made.scripts
            for (other, pod) in world.manifests.sorted(by: { $0.key < $1.key })
            where pod.metadata.name == name && other != uid {
                if updates { world.removeManifest(other) }
            }
            world.putManifest(made.pod)
            for (other, pod) in world.manifests.sorted(by: { $0.key < $1.key })
            where pod.metadata.name == name && other != uid {
                world.removeManifest(other)
            }
        }
    }

    // MARK: Misfortunes

    private mutating func restart(at time: Duration) {
        let delay = random.duration(0.1...5)
        world.timeline.at(time) { [world] in world.restartGracefully(after: delay) }
    }

    private func outage(at time: Duration, lasts: Duration) {
        world.timeline.at(time) { [world] in
            world.note("endpoint is away for \(lasts)")
            world.faults.isEndpointDown = true
            world.timeline.after(lasts) { world.faults.isEndpointDown = false }
        }
    }

    private mutating func jump(at time: Duration) {
        let offset = random.pick([
            Duration.seconds(315_360_000), .seconds(-315_360_000), .seconds(-3600), .seconds(28_800), .seconds(30),
        ])
        world.timeline.at(time) { [world, jumps] in if jumps { world.jumpWallClock(by: offset) } }
    }

    // MARK: End

    private func deleteAll() {
        world.note("everything is deleted")
        for key in world.api.pods.keys.sorted() { _ = world.api.delete(key, grace: nil, uid: nil, byAgent: false) }
        for uid in world.manifests.keys.sorted() { world.removeManifest(uid) }
    }

    /// Takes the agent down so that nothing of the world stays in memory.
    private func stop() {
        guard let life = world.incarnation else { return }
        life.kill()
        _ = life.drain()
    }
}
