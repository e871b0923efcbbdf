/// Something this program measures: one file each, found by ``BenchmarkCommand`` in its list.
protocol Measure: Sendable {
    /// As `--only` names it.
    var name: String { get }
    func run(in scope: BenchmarkScope) async throws -> [MeasureRow]
}
