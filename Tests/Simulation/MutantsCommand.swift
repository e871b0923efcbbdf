/// Plants one bug after the other and sees whether the checker notices.
struct MutantsCommand {
    let options: Options
    static let worldLimit: UInt64 = 300

    func run() -> Bool {
        let stopwatch = Stopwatch()
        let only = options["only"].flatMap(Mutant.init(rawValue:))
        var caught = 0
        let mutants = Mutant.allCases.filter { only == nil || $0 == only }
        for mutant in mutants {
            if let (violation, worlds) = hunt(mutant) {
                caught += 1
                print("caught  \(mutant.rawValue) after \(worlds) worlds: \(violation.invariant) \(violation.text)")
            } else {
                print("MISSED  \(mutant.rawValue) in \(Self.worldLimit) worlds")
            }
        }
        print("\(caught) of \(mutants.count) planted bugs caught in \(stopwatch.seconds) s")
        return caught == mutants.count
    }

    private func hunt(_ mutant: Mutant) -> (Checker.Violation, UInt64)? {
        for seed in 1...Self.worldLimit {
            var plan = RandomWorld(seed: seed, mutant: mutant)
            let world = plan.run()
            if let violation = world.checker.violations.first { return (violation, seed) }
            guard mutant == .wallTimers, plan.isClockWorld else { continue }
            var calm = RandomWorld(seed: seed, mutant: mutant, jumps: false)
            if calm.run().trace.hash != world.trace.hash {
                return (
                    Checker.Violation(
                        invariant: "I18", text: "clock jumps change what the agent does", about: "", at: world.now),
                    seed
                )
            }
        }
        return nil
    }
}
