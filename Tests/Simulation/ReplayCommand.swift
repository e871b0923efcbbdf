/// Lives one world again and prints what happens in it.
struct ReplayCommand {
    let options: Options

    func run() -> Bool {
        let seed = options.number("seed", default: 1)
        let mutant = options["mutant"].flatMap(Mutant.init(rawValue:))
        if options["compare"] == "jumps" { return compare(seed) }
        var plan = RandomWorld(seed: seed, mutant: mutant, keepsTrace: true)
        plan.world.trace.isLive = options["live"] == "yes"
        let world = plan.run()
        if options["live"] != "yes" { for line in world.trace.lines { print(line) } }
        for violation in world.checker.violations { print(RunCommand.text(violation, seed: seed)) }
        return world.checker.violations.isEmpty
    }

    /// Where a world with clock jumps and the same without first differ.
    private func compare(_ seed: UInt64) -> Bool {
        var one = RandomWorld(seed: seed, keepsTrace: true)
        var other = RandomWorld(seed: seed, keepsTrace: true, jumps: false)
        one.world.notesJobs = options["jobs"] == "yes"
        other.world.notesJobs = options["jobs"] == "yes"
        let (with, without) = (one.run().trace.lines, other.run().trace.lines)
        for index in 0..<max(with.count, without.count) {
            let (left, right) = (index < with.count ? with[index] : "-", index < without.count ? without[index] : "-")
            if left == right { continue }
            for line in with[max(0, index - 30)..<min(index, with.count)] { print("    \(line)") }
            print("with jumps:    \(left)\nwithout jumps: \(right)")
            return false
        }
        print("the same")
        return true
    }
}
