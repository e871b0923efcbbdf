import KubernetesAPI
import KubernetesClient
import NodeAgent

/// What goes wrong in a world, and how often. Off, the world is fast and answers every call.
final class Faults {
    struct Rates {
        var hostError = 0.0
        var hostSlow = 0.0
        var lostReply = 0.0
        var image = 0.0
        var command = 0.0
        var apiError = 0.0
        var lostAnswer = 0.0
        var apiSlow = 0.0
        var watchBreak = 0.0
        var swap = 0.0
        var twice = 0.0
        var stale = 0.0
        var crash = 0.0
    }

    var rates = Rates()
    var areOn = true
    /// Nobody answers at the control endpoint.
    var isEndpointDown = false
    private var random: RandomSource

    init(seed: UInt64) { random = RandomSource(seed: seed, purpose: "faults") }

    private func happens(_ rate: Double) -> Bool { areOn && rate > 0 && random.chance(rate) }

    // MARK: Host

    func hostDelay() -> Duration {
        happens(rates.hostSlow) ? random.duration(0.5...6) : .microseconds(Int64(500 + random.below(8000)))
    }

    func hostError(_ step: String) -> PodHostError? {
        guard happens(rates.hostError) else { return nil }
        let words = random.pick(["too many open files", "no space left on device", "input/output error"])
        return PodHostError(reason: "Fault", message: "\(step): \(words)")
    }

    func losesReply() -> Bool { happens(rates.lostReply) }
    func imagesFail() -> Bool { happens(rates.image) }
    func commandsFail() -> Bool { happens(rates.command) }

    // MARK: Endpoint

    func apiDelay() -> Duration {
        happens(rates.apiSlow) ? random.duration(0.2...4) : .microseconds(Int64(500 + random.below(5000)))
    }

    func apiError() -> APIError? {
        if isEndpointDown { return APIError(code: .transport(.unreachable), message: "connection refused") }
        guard happens(rates.apiError) else { return nil }
        switch random.below(4) {
        case 0: return APIError(code: .http(429), reason: .tooManyRequests, message: "slow down", retryAfterSeconds: 1)
        case 1: return APIError(code: .http(500), reason: .internalError, message: "internal error")
        case 2: return APIError(code: .http(503), reason: .serviceUnavailable, message: "unavailable")
        default: return APIError(code: .transport(.timedOut), message: "timed out")
        }
    }

    func losesAnswer() -> Bool { happens(rates.lostAnswer) }

    /// A cache that lags, but never behind what an agent of this node has seen.
    func staleVersion(of api: SimulatedAPI) -> UInt64 {
        guard happens(rates.stale), api.seen < api.version else { return api.version }
        return api.seen + UInt64(random.below(Int(api.version - api.seen) + 1))
    }

    func watchLasts() -> Duration? { happens(rates.watchBreak) ? random.duration(0.1...20) : nil }

    func watchEnd() -> APIError? {
        switch random.below(4) {
        case 0: nil
        case 1: APIError(code: .http(410), reason: .expired, message: "too old resource version")
        case 2: APIError(code: .transport(.connectionLost), message: "connection reset")
        default: APIError(code: .http(500), reason: .internalError, message: "etcdserver: leader changed")
        }
    }

    func watchDelay() -> Duration {
        happens(rates.apiSlow) ? random.duration(0.1...3) : .microseconds(Int64(200 + random.below(3000)))
    }

    func swapsEvents() -> Bool { happens(rates.swap) }
    func repeatsEvents() -> Bool { happens(rates.twice) }
    func sendsBookmark() -> Bool { random.chance(0.05) }

    // MARK: Agent

    func crashes() -> Bool { happens(rates.crash) }
}
