import KubernetesAPI

/// How long until everybody sees that a container's readiness has changed, once its probe has found out.
///
/// Every run of the probes finds the opposite of the one before.
struct ReadinessMeasure: Measure {
    let name = "readiness"

    private static let podsPerKind = 4
    private static let changesPerPod = 10

    /// The line of the log is written right before the command ends.
    private static let script = """
        if /bin/busybox rm /benchmark-ready 2>/dev/null; then echo unready >/proc/1/fd/1; exit 1; fi
        : >/benchmark-ready; echo ready >/proc/1/fd/1
        """

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        let server = try ProbedServer()
        return try await PodWorkload.with(scope, name) { workload in
            let pods = (0..<Self.podsPerKind).map { (http: "http-\($0)", exec: "exec-\($0)") }
            for pod in pods {
                try await workload.create(pod.http, readinessProbe: Self.probe(server, path: "/" + pod.http))
                // Apart from each other, and so that no two probes meet again and again.
                try await Task.sleep(for: .milliseconds(120))
                try await workload.create(pod.exec, readinessProbe: Self.execProbe)
                try await Task.sleep(for: .milliseconds(120))
            }
            let names = pods.flatMap { [$0.http, $0.exec] }
            try await workload.observer.wait(for: names, "ready and unready") {
                $0.readyChanges.count >= Self.changesPerPod
            }
            var (http, exec) = ([Double](), [Double]())
            for pod in pods {
                let answers = server.answers("/" + pod.http)
                http += try Self.delays(
                    of: await workload.observer.sightings(of: pod.http).readyChanges, after: answers, pod.http)
                exec += try Self.delays(
                    of: await workload.observer.sightings(of: pod.exec).readyChanges,
                    after: try await Self.answers(of: pod.exec, workload), pod.exec)
            }
            return [
                MeasureRow(
                    "HTTP probe answered → Ready changed in a watch", "swiftlet", .milliseconds, Samples(http), goal: 50
                ),
                MeasureRow(
                    "exec probe answered → Ready changed in a watch", "swiftlet", .milliseconds, Samples(exec), goal: 50
                ),
            ]
        }
    }

    private static func probe(_ server: ProbedServer, path: String) -> Probe {
        Probe(
            httpGet: HTTPGetAction(path: path, port: .int(Int32(server.port)), host: "127.0.0.1"), timeoutSeconds: 5,
            periodSeconds: 1, successThreshold: 1, failureThreshold: 1)
    }

    private static let execProbe = Probe(
        exec: ExecAction(command: ["/bin/busybox", "sh", "-c", script]), timeoutSeconds: 5, periodSeconds: 1,
        successThreshold: 1, failureThreshold: 1)

    private static func answers(of pod: String, _ workload: PodWorkload) async throws -> [ProbedServer.Answer] {
        try await workload.output(of: pod).compactMap { line in
            switch line.text {
            case "ready": ProbedServer.Answer(time: line.time, isReady: true)
            case "unready": ProbedServer.Answer(time: line.time, isReady: false)
            default: nil
            }
        }
    }

    /// Each answer has to have made its change: one that is missing would make the others look late or early.
    private static func delays(
        of changes: [PodObserver.ReadyChange], after answers: [ProbedServer.Answer], _ pod: String
    ) throws -> [Double] {
        try zip(changes, answers).prefix(changesPerPod).enumerated().map { index, pair in
            let (change, answer) = pair
            guard change.isReady == answer.isReady, change.time >= answer.time else {
                throw BenchmarkError("change \(index) of Ready of pod \(pod) is not what its probe answered")
            }
            return ResourceUsage.milliseconds(from: answer.time, to: change.time)
        }
    }
}
