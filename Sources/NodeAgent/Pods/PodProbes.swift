import KubernetesAPI
public import Probes

/// The node's prober, with what it finds as a stream: one consumer brings each piece of news to its pod.
public final class PodProbes: Sendable {
    enum News: Sendable {
        /// A verdict about one of the pod's containers has changed.
        case changed(podUID: String)
        case event(ProbeEvent)
    }

    let prober: Prober
    private let executor: (any TaskExecutor)?
    let news: AsyncStream<News>

    /// - Parameters:
    ///   - executor: where probes run; best where the news of commands come in.
    ///   - random: uniform in 0..<1, spreads first runs.
    public init(
        runner: any ProbeRunning, clock: some Clock<Duration> = ContinuousClock(), executor: (any TaskExecutor)? = nil,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        let (news, tell) = AsyncStream<News>.makeStream()
        self.news = news
        self.executor = executor
        prober = Prober(
            runner: runner, clock: clock, random: random, onChange: { tell.yield(.changed(podUID: $0)) },
            onEvent: { tell.yield(.event($0)) })
    }

    /// Probes until cancelled.
    public func run() async {
        await withTaskExecutorPreference(executor) { await prober.run() }
    }

    /// Figures of every probe, for the metrics.
    public func metrics() async -> [ProberMetrics] { await prober.metrics() }
}

extension Container {
    var hasProbes: Bool { ProbeKind.allCases.contains { probe($0) != nil } }
}

extension PodSpec {
    /// Whether any of its containers is probed; only sidecars and its own containers can be.
    var hasProbes: Bool { containers.contains(where: \.hasProbes) || sidecars.contains(where: \.hasProbes) }
}
