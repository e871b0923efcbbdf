/// The command line, read by hand: a few flags need no library.
struct BenchmarkOptions: Sendable {
    var jsonFile: String?
    /// Measures to take; empty for all.
    var only: [String] = []
    /// Path of `swiftlet-monitor`; default: beside this program.
    var monitorPath: String?
    /// Path of `swiftlet`; default: beside this program.
    var nodePath: String?
    var rounds = 60
    /// Where the containers' writable layers are made, ours and the peers'; default: a tmpfs of the run's own. On a disk the file
    /// system is measured too: ext4 without a journal looks at every inode deleted in the last minutes for each new one.
    var layerDirectory: String?
    /// How long the idle node, and the one that only probes, is looked at.
    var idle = Duration.seconds(60)

    static let usage = """
        usage: swiftlet-benchmarks [--only NAME]... [--rounds N] [--idle SECONDS] [--json FILE] [--layers DIR]
                                   [--monitor FILE] [--swiftlet FILE]

        Needs root, crun and busybox-static. Prints a markdown table.
        """

    init(_ arguments: [String]) throws(BenchmarkError) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            guard let value = rest.popFirst() else { throw BenchmarkError("\(flag): unknown, or its value is missing") }
            switch flag {
            case "--json": jsonFile = value
            case "--layers": layerDirectory = value
            case "--only": only.append(value)
            case "--monitor": monitorPath = value
            case "--swiftlet": nodePath = value
            case "--rounds":
                guard let number = Int(value), (1...10_000).contains(number) else {
                    throw BenchmarkError("--rounds \(value): give a number from 1 to 10000")
                }
                rounds = number
            case "--idle":
                guard let seconds = Int(value), (1...3600).contains(seconds) else {
                    throw BenchmarkError("--idle \(value): give a number of seconds from 1 to 3600")
                }
                idle = .seconds(seconds)
            default: throw BenchmarkError("\(flag): unknown flag")
            }
        }
    }
}
