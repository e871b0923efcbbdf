import KubernetesAPI
import KubernetesClient
import LinuxKernel

/// An agent that is killed and started again beside its running pods.
struct AdoptionMeasure: Measure {
    let name = "adoption"

    private static let podCount = 100
    private static let rounds = 5

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            let node = workload.node
            let names = (0..<Self.podCount).map { "adopted-\($0)" }
            try await workload.createAll(names)
            let containers = try NodeProcesses.containers(run: node.runDirectory)
            guard containers.count == names.count else {
                throw BenchmarkError("\(names.count) pods run, but \(containers.count) containers")
            }
            let versions = try await Self.versions(node)
            var (answered, adopted, cpu) = ([Double](), [Double](), [Double]())
            for _ in 0..<Self.rounds {
                // What the last change set off is written, so that the kill meets a node at rest.
                try await Task.sleep(for: .seconds(1))
                try node.killAgent()
                let start = ContinuousClock.now
                try node.startAgent()
                try await Deadline.within(.seconds(30), "the agent to answer again") {
                    (try? await node.socket.get("/healthz")) != nil
                }
                answered.append(start.duration(to: .now).milliseconds)
                try await Deadline.within(.seconds(30), "the agent to know its pods again") {
                    try await Self.running(node) == Set(containers.keys)
                }
                adopted.append(start.duration(to: .now).milliseconds)
                cpu.append(try ResourceUsage.cpuMilliseconds(ofProcess: node.pid))
                guard try NodeProcesses.containers(run: node.runDirectory) == containers else {
                    throw BenchmarkError("the agent's restart has cost containers")
                }
            }
            // A second to write what there is no reason to write.
            try await Task.sleep(for: .seconds(1))
            let written = try await Self.versions(node).filter { versions[$0.key] != $0.value }.count
            if written > 0 { Progress.say("\(written) pods were written again after \(Self.rounds) restarts") }
            return [
                MeasureRow(
                    "agent started beside \(Self.podCount) pods → it answers", "swiftlet", .milliseconds,
                    Samples(answered)),
                MeasureRow(
                    "agent started beside \(Self.podCount) pods → all adopted", "swiftlet", .milliseconds,
                    Samples(adopted), cpuMilliseconds: Samples(cpu), goal: 1000),
            ]
        }
    }

    /// The containers the agent says run, none of them for the second time.
    private static func running(_ node: NodeUnderTest) async throws -> Set<String> {
        let answer = try JSONValue(parsing: await node.socket.get("/v1/pods"))
        let list = try JSONValueDecoder().decode(PodList.self, from: answer)
        let statuses = list.items.flatMap { $0.status?.containerStatuses ?? [] }
        return Set(
            statuses.filter { $0.state?.running != nil && $0.restartCount == 0 }
                .compactMap { $0.containerID.map { String($0.drop { $0 != ":" }.dropFirst(3)) } })
    }

    private struct PodList: Codable, Sendable {
        var items: [Pod]
    }

    /// By pod, what the endpoint counts up with each write.
    private static func versions(_ node: NodeUnderTest) async throws -> [String: String] {
        let pods = try await node.client.list(Pod.self, namespace: PodWorkload.namespace).items
        return Dictionary(
            pods.map { ($0.metadata.name ?? "", $0.metadata.resourceVersion ?? "") }, uniquingKeysWith: { $1 })
    }
}
