/// Lets one task at a time through, in the order of arrival: an actor alone lets others in at every `await`.
actor TurnQueue {
    private var busy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Runs `body` when everyone before has finished.
    nonisolated(nonsending) func run<Value: Sendable>(
        _ body: () async throws(ImageError) -> Value
    ) async throws(ImageError) -> Value {
        await enter()
        do throws(ImageError) {
            let value = try await body()
            await leave()
            return value
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        guard busy else {
            busy = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        guard !waiting.isEmpty else {
            busy = false
            return
        }
        waiting.removeFirst().resume()
    }
}
