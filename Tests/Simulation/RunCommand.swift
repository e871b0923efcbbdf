import Glibc

/// Lives many worlds, in several processes.
struct RunCommand {
    let options: Options

    func run() -> Bool {
        let worlds = Int(options.number("worlds", default: 2000))
        let first = options.number("seed", default: 1)
        let jobs = max(1, Int(options.number("jobs", default: 2)))
        if let part = options["part"].flatMap({ Int($0) }) {
            return runPart(worlds: worlds, first: first, part: part, of: jobs)
        }
        let stopwatch = Stopwatch()
        let children = (0..<jobs).map { part in
            ChildProcess(arguments: [
                "run", "--worlds", "\(worlds)", "--seed", "\(first)", "--jobs", "\(jobs)", "--part", "\(part)",
            ])
        }
        var tally = Tally()
        var isGood = true
        for child in children {
            for line in child.lines() {
                if let part = Tally(line: line) { tally.add(part) } else { print(line) }
            }
            if !child.hasSucceeded() { isGood = false }
        }
        print("\(tally.text) in \(stopwatch.seconds) s with \(jobs) jobs")
        if tally.worlds != worlds {
            print("FAILED: only \(tally.worlds) of \(worlds) worlds came to an end")
            isGood = false
        }
        return isGood && tally.failures == 0
    }

    private func runPart(worlds: Int, first: UInt64, part: Int, of jobs: Int) -> Bool {
        var tally = Tally()
        for index in stride(from: part, to: worlds, by: jobs) {
            let seed = first + UInt64(index)
            fflush(nil)
            tally.worlds += 1
            var plan = RandomWorld(seed: seed)
            let world = plan.run()
            tally.add(world)
            if let violation = world.checker.violations.first {
                tally.failures += 1
                print(Self.text(violation, seed: seed))
            } else if plan.isClockWorld {
                var calm = RandomWorld(seed: seed, jumps: false)
                let other = calm.run()
                if other.trace.hash != world.trace.hash {
                    tally.failures += 1
                    print("FAILED seed \(seed): I18 clock jumps change what the agent does")
                    print("    replay: swiftlet-simulation replay --seed \(seed) --compare jumps")
                }
            }
        }
        print(tally.line)
        return tally.failures == 0
    }

    static func text(_ violation: Checker.Violation, seed: UInt64) -> String {
        """
        FAILED seed \(seed): \(violation.invariant) \(violation.text) [\(violation.about)] at \(Trace.text(violation.at)) s
            replay: swiftlet-simulation replay --seed \(seed)
        """
    }
}

/// What a run amounted to.
struct Tally {
    var worlds = 0
    var failures = 0
    var crashes = 0
    var points = 0
    var checks = 0
    var jobs = 0
    var seconds: Int64 = 0

    init() {}

    private static let mark = "tally"

    init?(line: String) {
        let words = line.split(separator: " ")
        guard words.first == "tally" else { return nil }
        let numbers = words.dropFirst().compactMap { Int($0) }
        guard numbers.count == 7 else { return nil }
        (worlds, failures, crashes, points) = (numbers[0], numbers[1], numbers[2], numbers[3])
        (checks, jobs, seconds) = (numbers[4], numbers[5], Int64(numbers[6]))
    }

    var line: String { "\(Self.mark) \(worlds) \(failures) \(crashes) \(points) \(checks) \(jobs) \(seconds)" }

    var text: String {
        """
        \(worlds) worlds, \(failures) failed; \(seconds / 3600) h of virtual time, \(crashes) agent crashes, \
        \(points) crash points passed, \(checks) checks, \(jobs) jobs
        """
    }

    mutating func add(_ world: World) {
        crashes += world.crashes
        points += world.crashPoints
        checks += world.checker.checks
        jobs += world.jobs
        seconds += world.now.components.seconds
    }

    mutating func add(_ other: Tally) {
        worlds += other.worlds
        failures += other.failures
        crashes += other.crashes
        points += other.points
        checks += other.checks
        jobs += other.jobs
        seconds += other.seconds
    }
}
