/// The command line, read by hand: five flags need no library.
struct BenchmarkOptions: Sendable {
    var jsonFile: String?
    /// Measures to take; empty for all.
    var only: [String] = []
    /// Path of `swiftlet-monitor`; default: beside this program.
    var monitorPath: String?
    /// Path of `swiftlet`; default: beside this program.
    var nodePath: String?
    var rounds = 60

    static let usage = """
        usage: swiftlet-benchmarks [--only NAME]... [--rounds N] [--json FILE] [--monitor FILE] [--swiftlet FILE]

        Needs root, crun and busybox-static. Prints a markdown table.
        """

    init(_ arguments: [String]) throws(BenchmarkError) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            guard let value = rest.popFirst() else { throw BenchmarkError("\(flag): unknown, or its value is missing") }
            switch flag {
            case "--json": jsonFile = value
            case "--only": only.append(value)
            case "--monitor": monitorPath = value
            case "--swiftlet": nodePath = value
            case "--rounds":
                guard let number = Int(value), (1...10_000).contains(number) else {
                    throw BenchmarkError("--rounds \(value): give a number from 1 to 10000")
                }
                rounds = number
            default: throw BenchmarkError("\(flag): unknown flag")
            }
        }
    }
}
