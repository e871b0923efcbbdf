import ArgumentParser
import KubernetesAPI
import NIOCore

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says what happened to a pod and what it waits for now.")

    @OptionGroup var node: RunOption
    @Argument(help: "POD or NAMESPACE/POD.") var pod: String
    @Option(name: .shortAndLong, help: "Namespace, when the pod's name is given alone. (default: default)")
    var namespace: String?
    @Option(name: .shortAndLong, help: "table or json.") var output = OutputFormat.table

    func validate() throws {
        if namespace != nil, pod.contains("/") {
            throw ValidationError("give the namespace once: as NAMESPACE/POD, or with --namespace")
        }
    }

    func run() async throws {
        let parts = pod.split(separator: "/", maxSplits: 1)
        let query = [
            ("namespace", parts.count == 2 ? String(parts[0]) : namespace ?? "default"),
            ("pod", String(parts.last ?? "")), ("output", output.rawValue),
        ]
        var bytes: [UInt8] = []
        try await LocalClient(run: node.run).stream(.GET, "/v1/why", query) {
            bytes.append(contentsOf: $0.readableBytesView)
        }
        print(String(decoding: bytes, as: UTF8.self), terminator: output == .json ? "\n" : "")
    }
}
