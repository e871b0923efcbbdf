import Glibc

/// Lives every scenario with the agent killed at every crash point, and again during the recovery from that.
struct ScenariosCommand {
    let options: Options

    func run() -> Bool {
        let stopwatch = Stopwatch()
        let jobs = max(1, Int(options.number("jobs", default: 2)))
        if let name = options["name"] { return replay(name) }
        if let part = options["part"].flatMap({ Int($0) }) { return runPart(part, of: jobs) }
        var arguments = ["scenarios", "--jobs", "\(jobs)", "--doubles", "\(doubles)"]
        if let only = options["only"] { arguments += ["--only", only] }
        let children = (0..<jobs).map { ChildProcess(arguments: arguments + ["--part", "\($0)"]) }
        var (isGood, singles, twice) = (true, 0, 0)
        for child in children {
            for line in child.lines() {
                let words = line.split(separator: " ").map(String.init)
                if words.first == "tally", words.count == 3 {
                    singles += Int(words[1]) ?? 0
                    twice += Int(words[2]) ?? 0
                } else {
                    print(line)
                }
            }
            if !child.hasSucceeded() { isGood = false }
        }
        print(
            "\(scenarios.count) scenarios, \(singles) single and \(twice) double crashes in \(stopwatch.seconds) s: "
                + (isGood ? "no violation" : "FAILED"))
        return isGood
    }

    private var doubles: Int { Int(options.number("doubles", default: 3)) }

    private var scenarios: [Scenario] {
        guard let word = options["only"] else { return Scenario.all }
        return Scenario.all.filter { $0.name.contains(word) }
    }

    private func runPart(_ part: Int, of jobs: Int) -> Bool {
        var (isGood, singles, twice) = (true, 0, 0)
        for scenario in scenarios {
            let plain = scenario.run(crashingAt: [])
            if part == 0, !report(scenario, plain, []) {
                isGood = false
                continue
            }
            var random = RandomSource(seed: 1, purpose: scenario.name)
            for point in 1...max(1, plain.crashPoints) {
                let offsets = (0..<doubles).map { _ in 1 + random.below(40) }
                guard point % jobs == part else { continue }
                let world = scenario.run(crashingAt: [point])
                singles += 1
                if !report(scenario, world, [point]) {
                    isGood = false
                    break
                }
                for offset in offsets {
                    let points: Set = [point, point + offset]
                    twice += 1
                    if !report(scenario, scenario.run(crashingAt: points), points) { isGood = false }
                }
            }
        }
        print("tally \(singles) \(twice)")
        return isGood
    }

    private func report(_ scenario: Scenario, _ world: World, _ points: Set<Int>) -> Bool {
        guard let violation = world.checker.violations.first else { return true }
        let list = points.sorted().map(String.init).joined(separator: ",")
        print(
            """
            FAILED \(scenario.name) crashing at [\(list)]: \(violation.invariant) \(violation.text) [\(violation.about)]
                replay: swiftlet-simulation scenarios --name \(scenario.name) --at \(list.isEmpty ? "0" : list)
            """)
        return false
    }

    private func replay(_ name: String) -> Bool {
        guard let scenario = Scenario.all.first(where: { $0.name == name }) else {
            print("no scenario \(name)")
            return false
        }
        let points = Set((options["at"] ?? "0").split(separator: ",").compactMap { Int($0) })
        let world = scenario.run(crashingAt: points, keepsTrace: true)
        for line in world.trace.lines { print(line) }
        return report(scenario, world, points)
    }
}
