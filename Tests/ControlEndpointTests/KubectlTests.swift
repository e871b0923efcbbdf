// Foundation: its Process is the only way to run a program that the test target has.
import Foundation
import LinuxKernel
import Logging
import ServiceLifecycle
import Testing

@testable import ControlEndpoint

enum KubectlDirectory {
    static let path = ProcessInfo.processInfo.environment["SWIFTLET_KUBECTL_DIR"]
}

/// Real kubectl against a real endpoint. `SWIFTLET_KUBECTL_DIR` names the directory `Tests/Support/fetch-kubectl.sh`
/// filled.
@Suite("kubectl", .enabled(if: KubectlDirectory.path != nil), .timeLimit(.minutes(5)))
struct KubectlTests {
    struct Outcome: Sendable {
        let code: Int32
        let output: String
    }

    private static func run(_ program: String, _ arguments: [String], kubeconfig: String) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ["KUBECONFIG": kubeconfig, "HOME": kubeconfig + ".home", "PATH": "/usr/bin:/bin"]
        let output = kubeconfig + ".\(UInt64.random(in: 0 ... .max)).out"
        try FileSystem.writeAtomically(output, [UInt8](), durable: false)
        let handle = try #require(FileHandle(forWritingAtPath: output))
        process.standardOutput = handle
        process.standardError = handle
        let code: Int32 = try await withCheckedThrowingContinuation { done in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        return Outcome(code: code, output: try FileSystem.readText(output))
    }

    private static let manifest = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {color: blue}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec:
          containers:
          - {name: main, image: "host:///", command: [sleep, "100"]}
        """

    @Test("the commands anyone tries first work", arguments: ["kubectl-1.20", "kubectl-1.37"])
    func firstCommands(version: String) async throws {
        let program = "\(try #require(KubectlDirectory.path))/\(version)"
        let root = try EndpointFixture.makeDirectory()
        defer { try? FileSystem.removeTree(root) }
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let server = try ControlEndpointServer(
            configuration: ControlEndpointConfiguration(rootDirectory: root, port: 0, nodeName: "n1"), logSource: nil,
            logger: logger)
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: server)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            group.addTask {
                try await server.started()
                try await Self.commands(program, kubeconfig: root + "/admin.kubeconfig", root: root)
                await services.triggerGracefulShutdown()
            }
            try await group.waitForAll()
        }
    }

    private static func commands(_ program: String, kubeconfig: String, root: String) async throws {
        let manifest = root + "/web.yaml"
        try FileSystem.writeAtomically(manifest, Array(Self.manifest.utf8))
        try FileSystem.writeAtomically(
            root + "/changed.yaml", Array(Self.manifest.replacingOccurrences(of: "blue", with: "red").utf8))
        try FileSystem.writeAtomically(
            root + "/typo.yaml", Array(Self.manifest.replacingOccurrences(of: "command:", with: "comand:").utf8))
        // Arguments, exit code, and a part of the output.
        var steps: [(String, Int32, String)] = [
            ("version", 0, "swiftlet"), ("api-resources", 0, "pods"), ("get namespaces", 0, "kube-node-lease"),
            ("create namespace team", 0, "namespace/team created"),
            ("apply -n team -f \(manifest)", 0, "pod/web created"),
            ("apply -n team -f \(manifest)", 0, "pod/web unchanged"),
            ("apply -n team -f \(root)/changed.yaml", 0, "configmap/settings configured"),
            ("get configmap settings -n team -o jsonpath={.data.color}", 0, "red"),
            ("apply -n team -f \(root)/typo.yaml", 1, "comand"),
            ("get pods -n team -o wide", 0, "NOMINATED NODE"), ("describe pod web -n team", 0, "QoS Class:"),
            ("label pod web -n team tier=front", 0, "labeled"), ("get pods -n team -l tier=front", 0, "web"),
            ("explain pod.spec.containers", 0, "imagePullPolicy"),
            ("create configmap more -n team --from-literal=a=b", 0, "configmap/more created"),
            ("create configmap more -n team --from-literal=a=b", 1, "already exists"),
            ("get pod nothing -n team", 1, "pods \"nothing\" not found"),
            ("get pods -n team --watch-only --request-timeout=1s", 0, ""),
            ("delete pod web -n team --timeout=20s", 0, "deleted"),
            ("delete namespace team --timeout=20s", 0, "deleted"),
        ]
        // Before 1.23 the subresource held a kind of its own.
        if !program.hasSuffix("1.20"), let deletion = steps.firstIndex(where: { $0.0.hasPrefix("delete pod") }) {
            steps.insert(
                contentsOf: [
                    (
                        "debug web -n team --image=busybox:1 --target=main -c look --attach=false", 0,
                        "container \"main\""
                    ),
                    ("get pod web -n team -o jsonpath={.spec.ephemeralContainers[*].name}", 0, "look"),
                    ("debug web -n team --image=busybox:1 --target=none --attach=false", 1, "none"),
                ], at: deletion)
        }
        for (arguments, code, part) in steps {
            let outcome = try await run(
                program, arguments.split(separator: " ").map(String.init), kubeconfig: kubeconfig)
            #expect(outcome.code == code && (part.isEmpty || outcome.output.contains(part)), "\(arguments): \(outcome)")
        }
    }
}
