import Glibc
import KubernetesAPI
import LinuxKernel

/// Measures Swiftlet, and its peers in the same run.
@main
enum BenchmarkCommand {
    /// In the order in which they run.
    static let measures: [any Measure] = [
        ContainerLifeMeasure.paced, ContainerLifeMeasure.backToBack, ExecutionMeasure(), NodeMeasure(),
        RestartMeasure(), ReadinessMeasure(), ConfigUpdateMeasure(), ProbeCostMeasure(), AdoptionMeasure(),
        ScrapeMeasure(), UserNamespaceMeasure(), NeighbourMeasure(), PullMeasure(), ClientExecutionMeasure(),
        EndpointMeasure(), EndpointMemoryMeasure(),
    ]

    static func main() async {
        do {
            let options = try BenchmarkOptions(Array(CommandLine.arguments.dropFirst()))
            let known = measures.map(\.name)
            if let wrong = options.only.first(where: { !known.contains($0) }) {
                throw BenchmarkError("--only \(wrong): unknown measure: use one of \(known.joined(separator: ", "))")
            }
            guard geteuid() == 0 else { throw BenchmarkError("containers need root: run this with sudo") }
            let report = try await BenchmarkScope.with(options, run)
            print(report.markdown, terminator: "")
            if let file = options.jsonFile {
                try FileSystem.writeAtomically(file, report.json.serialized() + [0x0A], mode: 0o644, durable: false)
            }
            exit(report.omitted.isEmpty ? 0 : 1)
        } catch {
            Progress.say("swiftlet-benchmarks: \(error)\n\(BenchmarkOptions.usage)")
            exit(2)
        }
    }

    private static func run(_ scope: BenchmarkScope) async -> BenchmarkReport {
        let machine = BenchmarkReport.describeMachine(scope.options)
        var rows: [MeasureRow] = []
        var omitted: [(measure: String, reason: String)] = []
        for measure in measures where scope.options.only.isEmpty || scope.options.only.contains(measure.name) {
            Progress.say("measuring \(measure.name) …")
            do {
                rows += try await scope.nested { try await measure.run(in: scope) }
            } catch {
                omitted.append((measure.name, "\(error)"))
            }
        }
        return BenchmarkReport(machine: machine, rows: rows, omitted: omitted)
    }
}
