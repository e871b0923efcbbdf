import Glibc

/// `swiftlet-simulation`: the agent's core in worlds drawn from seeds, with a model that knows what must never happen.
@main
enum SimulationCommand {
    static let usage = """
        usage: swiftlet-simulation run [--worlds N] [--seed S] [--jobs N]
               swiftlet-simulation replay --seed S [--mutant NAME]
               swiftlet-simulation scenarios [--only WORD] [--doubles N] [--jobs N]
               swiftlet-simulation mutants [--only NAME]
               swiftlet-simulation selftest
        """

    static func main() {
        becomeDeterministic()
        var arguments = Array(CommandLine.arguments.dropFirst())
        let command = arguments.isEmpty ? "run" : arguments.removeFirst()
        let options = Options(arguments)
        guard let options else {
            print(usage)
            exit(64)
        }
        let isGood: Bool
        switch command {
        case "run": isGood = RunCommand(options: options).run()
        case "replay": isGood = ReplayCommand(options: options).run()
        case "scenarios": isGood = ScenariosCommand(options: options).run()
        case "mutants": isGood = MutantsCommand(options: options).run()
        case "selftest": isGood = SelfTestCommand().run()
        default:
            print(usage)
            exit(64)
        }
        exit(isGood ? 0 : 1)
    }

    /// The order of sets and dictionaries has to be the same in every run, which only the environment can ask for.
    private static func becomeDeterministic() {
        let name = "SWIFT_DETERMINISTIC_HASHING"
        guard getenv(name) == nil else { return }
        setenv(name, "1", 1)
        var pointers: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        pointers.append(nil)
        execv("/proc/self/exe", pointers)
        print("cannot start anew with \(name)=1: errno \(errno)")
        exit(70)
    }
}

/// `--name value` pairs.
struct Options {
    private var values: [String: String] = [:]

    /// - Returns: nil when an argument is not understood.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else { return nil }
            values[String(name.dropFirst(2))] = value
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    func number(_ name: String, default value: UInt64) -> UInt64 { values[name].flatMap { UInt64($0) } ?? value }
}

/// Wall time since it was made, for the figures at the end.
struct Stopwatch {
    private let start = ContinuousClock.now

    /// `12.3`
    var seconds: String {
        let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10)"
    }
}
