import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel

/// How fast a pod answers while others on the node take all they can: a fork bomb, and a hog that the kernel kills again and again.
///
/// The bad neighbours ask for nothing and have no limit of CPU time; the pod that answers has asked for a tenth of a core.
struct NeighbourMeasure: Measure {
    let name = "neighbour"

    private static let slices = 5
    private static let requestsPerSlice = 400
    private static let port: UInt16 = 8080

    /// A line for a line, on one connection after the other, after about as much work as a small service does.
    private static let server = """
        use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => \(port), Listen => 8, ReuseAddr => 1) or die;
        $| = 1; print "listening\\n";
        while (1) { my $c = $l->accept or next; my $line = <$c>; my $n = 0; $n += $_ for 1..20000; print $c "$n\\n"; close $c }
        """

    private struct Attack {
        let name: String
        let program: String
        let memory: String?
    }

    private static let attacks = [
        Attack(
            name: "fork bomb", program: "while (1) { my $p = fork; next if $p; sleep 1 if !defined $p }", memory: nil),
        // Where memory.oom.group takes the whole container, its restarts wait: there the hog is a rarer one.
        Attack(
            name: "memory hog",
            program: "while (1) { if (fork) { wait } else { my @a; push @a, 'x' x (1 << 20) while 1 } }",
            memory: "64Mi"),
    ]

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            try await workload.create("quiet", Self.pod(Self.server, requests: ["cpu": "100m"]))
            try await workload.waitUntilRunning(["quiet"])
            _ = try await workload.firstOutput(of: "quiet")
            let address = try await Self.address(workload, of: "quiet")
            _ = try await Self.slice(address)
            var rows: [MeasureRow] = []
            for attack in Self.attacks { rows += try await Self.rows(workload, address, attack) }
            return rows
        }
    }

    /// Slices without and with the attack, all of one kind together: bombs need a while to grow and to go.
    private static func rows(
        _ workload: PodWorkload, _ address: String, _ attack: Attack
    ) async throws -> [MeasureRow] {
        let pod = String(attack.name.map { $0 == " " ? "-" : $0 })
        Progress.say("asking a pod beside a \(attack.name) …")
        var calm: [Double] = []
        for _ in 0..<slices { calm.append(try await slice(address)) }
        try await workload.create(pod, Self.pod(attack.program, limits: attack.memory.map { ["memory": $0] } ?? [:]))
        try await workload.waitUntilRunning([pod])
        try await Task.sleep(for: .seconds(3))
        var attacked: [Double] = []
        for _ in 0..<slices { attacked.append(try await slice(address)) }
        try await workload.delete(pod)
        try await workload.waitUntilGone([pod])
        let title = "p99 of a pod's answers, \(slices) × \(requestsPerSlice) requests"
        let alone = MeasureRow(title, "alone", .milliseconds, Samples(calm))
        return [
            alone,
            MeasureRow(title, "beside a \(attack.name)", .milliseconds, Samples(attacked))
                .compared(with: alone, goal: 2),
        ]
    }

    private static func pod(
        _ program: String, requests: [String: String] = [:], limits: [String: String] = [:]
    ) throws -> PodSpec {
        let amounts = { (texts: [String: String]) in try texts.mapValues { try Quantity(parsing: $0) } }
        return PodSpec(
            containers: [
                Container(
                    name: "main", image: "host:///", command: ["perl", "-e", program],
                    resources: ResourceRequirements(limits: try amounts(limits), requests: try amounts(requests)))
            ],
            terminationGracePeriodSeconds: 1)
    }

    private static func address(_ workload: PodWorkload, of name: String) async throws -> String {
        let pod = try await workload.node.client.get(Pod.self, namespace: PodWorkload.namespace, name: name)
        guard let address = pod.status?.podIP else { throw BenchmarkError("pod \(name) has no address") }
        return address
    }

    /// The p99 of a slice's requests, in milliseconds. The thread that asks is the only one of its pool's that works.
    private static func slice(_ address: String) async throws -> Double {
        let taken = try await KernelThreadPool.shared.run { () throws(KernelError) -> [Double] in
            var taken: [Double] = []
            for _ in 0..<requestsPerSlice {
                let began = ResourceUsage.wallNanoseconds
                try LineClient.ask(address, port: port)
                taken.append(ResourceUsage.milliseconds(from: began, to: ResourceUsage.wallNanoseconds))
                usleep(2000)
            }
            return taken
        }
        return Samples(taken).percentile(0.99)
    }
}
