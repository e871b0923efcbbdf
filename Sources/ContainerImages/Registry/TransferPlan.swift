/// Decides how one document or blob is got although connections break: from which endpoint, from which byte on, after
/// what delay, and when to give up.
///
/// Endpoints are tried in order; what is content-addressed may begin at one and end at another.
struct TransferPlan: Hashable, Sendable {
    /// Why a try has ended before all bytes were there.
    enum Setback: Hashable, Sendable {
        /// The connection broke.
        case broken
        /// No connection came to be: one more try, then whoever waits is told.
        case unreachable
        /// 429, or a 5xx; with the delay that was asked for.
        case busy(retryAfter: Duration?)
        /// Nothing that trying again at this endpoint can mend: 401, 404, a wrong answer.
        case refused
    }

    enum Step: Hashable, Sendable {
        case attempt(endpoint: Int, offset: Int64, after: Duration)
        /// No endpoint is left.
        case giveUp
    }

    let endpoints: Int
    private(set) var endpoint = 0
    private(set) var received: Int64 = 0
    private var failures = 0
    private var resumes = 0
    private var receivedBefore: Int64 = 0

    /// Tries in a row at one endpoint that brought nothing.
    private static let failureLimit = 4
    private static let unreachableLimit = 2
    /// Tries in all: a server that sends a few bytes and hangs up must not keep a pull going for ever.
    private static let resumeLimit = 50
    /// 0.5 s, 1 s, 2 s: a restart of a registry or its proxy is survived, and a pod still hears soon that it is down.
    private static let firstDelay = Duration.milliseconds(500)

    init(endpoints: Int) {
        self.endpoints = endpoints
    }

    var first: Step { endpoints > 0 ? .attempt(endpoint: 0, offset: 0, after: .zero) : .giveUp }

    /// Bytes have come.
    mutating func received(_ count: Int) {
        received += Int64(count)
    }

    mutating func failed(_ setback: Setback) -> Step {
        if received > receivedBefore { failures = 0 }
        receivedBefore = received
        failures += 1
        resumes += 1
        guard endpoint < endpoints, resumes <= Self.resumeLimit else { return .giveUp }
        var delay = Self.firstDelay * (1 << max(0, failures - 1))
        switch setback {
        case .refused: return nextEndpoint()
        case .broken: break
        case .unreachable: guard failures < Self.unreachableLimit else { return nextEndpoint() }
        case .busy(let asked):
            if let asked {
                guard asked <= RetryAfter.limit else { return nextEndpoint() }
                delay = max(delay, asked)
            }
        }
        guard failures < Self.failureLimit else { return nextEndpoint() }
        return .attempt(endpoint: endpoint, offset: received, after: delay)
    }

    private mutating func nextEndpoint() -> Step {
        endpoint += 1
        failures = 0
        guard endpoint < endpoints else { return .giveUp }
        return .attempt(endpoint: endpoint, offset: received, after: .zero)
    }
}
