import NodeAgent

/// Reads usage on request and remembers the reading before, for rates: nothing is read while nobody asks.
actor UsageSampler {
    private let agent: NodeAgent
    private let host: LocalPodHost
    private var previous: UsageReport?

    init(agent: NodeAgent, host: LocalPodHost) {
        self.agent = agent
        self.host = host
    }

    /// A new reading and the rates since the last one. The very first has none.
    func sample() async -> (report: UsageReport, rates: UsageRates) {
        let report = await UsageReport.read(agent, host)
        let rates = previous.map { UsageRates(from: $0, to: report) } ?? UsageRates()
        previous = report
        return (report, rates)
    }
}
