import ContainerRuntime
import Glibc
import KubernetesAPI
public import LinuxKernel
import PodNetwork

/// Reads usage when somebody asks, once for all who ask at about the same time. Nothing is read while nobody asks.
public actor UsageCollector {
    /// A report and the rates since an earlier one.
    public struct Sample: Sendable {
        public var report: UsageReport
        public var rates: UsageRates

        public init(report: UsageReport, rates: UsageRates) {
            self.report = report
            self.rates = rates
        }
    }

    private let agent: NodeAgent
    private let host: LocalPodHost
    /// What pods keep on disk is as old as its last measurement: walking trees takes time.
    private let meter: EphemeralStorageMeter
    private var history = UsageHistory()
    private var latest: (sample: Sample, containers: Set<String>)?
    /// The reading that is being made: whoever comes meanwhile shares it.
    private var running: Reading?

    private struct Reading {
        let scope: UsageReport.Scope
        let containers: Set<String>
        var waiting: [CheckedContinuation<Sample, Never>] = []
    }

    public init(agent: NodeAgent, host: LocalPodHost, meter: EphemeralStorageMeter) {
        self.agent = agent
        self.host = host
        self.meter = meter
    }

    /// - Parameters:
    ///   - maximumAge: how old the reading may be that somebody else has asked for. One of other containers than those that
    ///     run now is of no use at any age: who has just seen a container start finds it in the answer.
    ///   - scope: what has to be in it.
    public func sample(
        _ scope: UsageReport.Scope = .everything, maximumAge: Duration = .seconds(1)
    ) async -> Sample {
        let instances = await host.runtime.containers().filter(\.isRunning)
        let containers = Set(instances.map(\.id))
        if let young = young(scope, of: containers, maximumAge) { return young }
        if let running, running.scope.includes(scope), running.containers == containers {
            return await withCheckedContinuation { self.running?.waiting.append($0) }
        }
        let owns = running == nil
        if owns { running = Reading(scope: scope, containers: containers) }
        let sample = take(await read(scope, instances), containers)
        if owns {
            let waiting = running?.waiting ?? []
            running = nil
            for continuation in waiting { continuation.resume(returning: sample) }
        }
        return sample
    }

    /// As ``sample(_:maximumAge:)``, with rates in any case: when no reading of the last minute is there to compare with,
    /// a second passes between two, and a container that has only just begun is given the time that its rate takes.
    public func ratedSample(_ scope: UsageReport.Scope) async -> Sample {
        let containers = Set(await host.runtime.containers().filter(\.isRunning).map(\.id))
        if let young = young(scope, of: containers, .seconds(1)), young.rates.window > .zero,
            young.rates.window <= Self.longestWindow, young.hasEveryRate
        {
            return young
        }
        if !history.hasBase(at: .now(), within: Self.longestWindow) {
            _ = await sample(.cpuAndMemory, maximumAge: .zero)
            try? await ContinuousClock().sleep(for: .seconds(1))
        }
        let found = await sample(scope, maximumAge: .milliseconds(200))
        if found.hasEveryRate { return found }
        try? await ContinuousClock().sleep(for: UsageHistory.shortestWindow)
        return await sample(scope, maximumAge: .zero)
    }

    /// What there is in persistent volume claims of this node's pods, as last measured.
    public func claims() async -> [ClaimUsage] {
        let pods = await agent.pods().filter { pod in
            !pod.isTerminal
                && pod.spec.volumes?.contains { $0.persistentVolumeClaim != nil || $0.ephemeral != nil } == true
        }
        if pods.isEmpty { return [] }
        let known = await meter.latest(of: pods)
        var claims: Set<ClaimUsage> = []
        for pod in pods {
            for mounted in known[pod.metadata.uid ?? ""]?.mounted.values ?? [:].values {
                guard let claim = mounted.claim else { continue }
                claims.insert(
                    ClaimUsage(
                        namespace: pod.metadata.namespace ?? "", name: claim, fileSystem: mounted.fileSystem))
            }
        }
        // Pods that share a claim have measured it at different times: one of them tells.
        let byName = Dictionary(grouping: claims) { $0.namespace + "/" + $0.name }
        return byName.sorted { $0.key < $1.key }.compactMap(\.value.first)
    }

    private func young(_ scope: UsageReport.Scope, of containers: Set<String>, _ maximumAge: Duration) -> Sample? {
        guard let latest, latest.containers == containers, latest.sample.report.scope.includes(scope),
            isYoung(latest.sample.report.time, maximumAge)
        else { return nil }
        return latest.sample
    }

    private static let longestWindow = Duration.seconds(60)

    private func isYoung(_ time: Timestamp, _ maximumAge: Duration) -> Bool {
        let age = Timestamp.now().since(time)
        return age >= .zero && age < maximumAge
    }

    private func take(_ report: UsageReport, _ containers: Set<String>) -> Sample {
        let sample = Sample(report: report, rates: history.rates(of: report) ?? UsageRates())
        // Two readings may be under way: the later one counts.
        if let latest = latest?.sample.report.time, latest > report.time, isYoung(latest, .seconds(60)) {
            return sample
        }
        latest = (sample, containers)
        return sample
    }

    private func read(_ scope: UsageReport.Scope, _ instances: [ContainerInstance]) async -> UsageReport {
        let pods = await agent.pods()
        let reader = UsageReader(
            pods: pods, instances: instances, sandboxes: await host.runtime.sandboxes(),
            configuration: host.configuration, scope: scope)
        var report = await KernelThreadPool.shared.run { reader.read() }
        guard case .everything = scope else { return report }
        await addNetwork(to: &report)
        let amounts = await meter.latest(of: pods.filter { !$0.isTerminal })
        for index in report.pods.indices { report.pods[index].add(amounts[report.pods[index].uid]) }
        return report
    }

    /// The host's ends of the pods' cables are in its own namespace: one file tells of all of them.
    private func addNetwork(to report: inout UsageReport) async {
        guard let all = try? await KernelThreadPool.shared.run({ try NetworkInterfaceCounters.all() }) else { return }
        let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
        var cables: Set<String> = []
        for index in report.pods.indices {
            guard let sandbox = report.pods[index].sandboxID,
                let status = await host.parts.network.status(sandboxID: sandbox),
                let counters = byName[status.hostInterface]
            else { continue }
            cables.insert(counters.name)
            report.pods[index].network = counters.otherEnd(name: status.interface)
        }
        report.node.interfaces = all.filter { interface in
            !cables.contains(interface.name) && interface.name != "lo" && !interface.name.hasPrefix("veth")
        }
    }
}

/// The file system that a persistent volume claim is on.
public struct ClaimUsage: Hashable, Sendable {
    public var namespace: String
    public var name: String
    public var fileSystem: FileSystemUsage

    public init(namespace: String, name: String, fileSystem: FileSystemUsage) {
        self.namespace = namespace
        self.name = name
        self.fileSystem = fileSystem
    }
}

extension UsageReport.PodEntry {
    fileprivate mutating func add(_ amounts: EphemeralStorageUsage?) {
        guard let amounts else { return }
        disk = amounts
        for index in containers.indices {
            containers[index].disk = amounts.containers[containers[index].instance.metadata.name]
        }
    }
}

extension UsageReport.Scope {
    func includes(_ other: UsageReport.Scope) -> Bool {
        switch (self, other) {
        case (.everything, _), (.cpuAndMemory, .cpuAndMemory): true
        case (.cpuAndMemory, .everything): false
        }
    }
}

extension UsageCollector.Sample {
    /// Whether each container whose time is counted has its rate.
    var hasEveryRate: Bool {
        report.pods.flatMap(\.containers).allSatisfy {
            $0.usage.cpuUsageNanoseconds == nil || rates.containers[$0.instance.id] != nil
        }
    }
}
