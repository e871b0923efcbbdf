import Synchronization

/// An unpacked layer that is to be taken into the store.
struct LayerArrival: Sendable {
    let layer: UnpackedLayer
    /// Name of its staging directory.
    let staging: String
    let record: LayerRecord
    /// Chain identifiers of the layers it stands on, topmost first.
    let below: [ContentDigest]
}

/// Unpacked layers on their way into the store: one waits for those below it, and all that are ready go in together.
final class LayerArrivals: Sendable {
    private enum Stage {
        case waiting(LayerArrival)
        case taken
        case done(Result<Void, ImageError>)
    }

    private struct Entry {
        var stage: Stage
        var waiter: CheckedContinuation<Result<Void, ImageError>, Never>?
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// To be followed by one ``outcome(of:)``.
    func add(_ arrival: LayerArrival) -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            state.entries[state.lastNumber] = Entry(stage: .waiting(arrival))
            return state.lastNumber
        }
    }

    /// Those that can go in now, each after the one it stands on; each layer once.
    ///
    /// - Parameter isPresent: whether a layer is in the store.
    func take(isPresent: (ContentDigest) -> Bool) -> [(number: UInt64, arrival: LayerArrival)] {
        state.withLock { state in
            var (batch, chains): ([(number: UInt64, arrival: LayerArrival)], Set<ContentDigest>) = ([], [])
            var goesOn = true
            while goesOn {
                goesOn = false
                for number in state.entries.keys.sorted() {
                    guard case .waiting(let arrival)? = state.entries[number]?.stage,
                        !chains.contains(arrival.record.chainID),
                        arrival.below.first.map({ chains.contains($0) || isPresent($0) }) ?? true
                    else { continue }
                    state.entries[number]?.stage = .taken
                    chains.insert(arrival.record.chainID)
                    batch.append((number, arrival))
                    goesOn = true
                }
            }
            return batch
        }
    }

    /// What became of one that was taken.
    func finish(_ number: UInt64, _ result: Result<Void, ImageError>) {
        let waiter = state.withLock { state in Self.end(number, result, &state) }
        waiter?.resume(returning: result)
    }

    private static func end(
        _ number: UInt64, _ result: Result<Void, ImageError>, _ state: inout State
    ) -> CheckedContinuation<Result<Void, ImageError>, Never>? {
        guard let waiter = state.entries[number]?.waiter else {
            state.entries[number]?.stage = .done(result)
            return nil
        }
        state.entries[number] = nil
        return waiter
    }

    /// Waits for it. One that still waits for others when its task is cancelled is given up.
    func outcome(of number: UInt64) async throws(ImageError) {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known = state.withLock { state -> Result<Void, ImageError>? in
                    guard case .done(let result)? = state.entries[number]?.stage else {
                        state.entries[number]?.waiter = waiter
                        return nil
                    }
                    state.entries[number] = nil
                    return result
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            let given = Result<Void, ImageError>.failure(ImageError(.cancelled, "the pull was cancelled"))
            let waiter = state.withLock { state -> CheckedContinuation<Result<Void, ImageError>, Never>? in
                guard case .waiting? = state.entries[number]?.stage else { return nil }
                return Self.end(number, given, &state)
            }
            waiter?.resume(returning: given)
        }
        try result.get()
    }
}
