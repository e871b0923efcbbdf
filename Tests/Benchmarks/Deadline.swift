/// Waits for what announces itself to nobody, such as a file of another process.
enum Deadline {
    static func within(
        _ limit: Duration, _ what: String, _ condition: @Sendable () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while try await !condition() {
            guard ContinuousClock.now < end else { throw BenchmarkError("waited \(limit) in vain for \(what)") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
