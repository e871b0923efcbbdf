import ArgumentParser
import Glibc
import KubernetesAPI
import NIOCore

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

struct PodsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "Lists the pods of this node.", aliases: ["pods"])

    @OptionGroup var node: RunOption
    @Option(name: .shortAndLong, help: "table or json.") var output = OutputFormat.table

    func run() async throws {
        let client = LocalClient(run: node.run)
        let list = try await client.json(.GET, "/v1/pods")
        if output == .json { return print(String(decoding: list.serialized(), as: UTF8.self)) }
        let tries = try await client.json(.GET, "/v1/tries")
        var table = TextTable(["NAMESPACE", "POD", "CONTAINER", "STATE", "RESTARTS", "AGE", "IP", "IMAGE"])
        for value in list["items"]?.arrayValue ?? [] {
            let pod = try JSONValueDecoder().decode(Pod.self, from: value)
            let statuses = (pod.status?.initContainerStatuses ?? []) + (pod.status?.containerStatuses ?? [])
            for status in statuses {
                table.add([
                    pod.metadata.namespace ?? "", pod.metadata.name ?? "", status.name,
                    Self.state(status, pod, nextTry: tries[path: pod.metadata.uid ?? "", status.name]?.intValue),
                    "\(status.restartCount)", Self.age(status.state?.running?.startedAt), pod.status?.podIP ?? "-",
                    status.image,
                ])
            }
            if statuses.isEmpty {
                let reason = pod.status?.reason ?? pod.status?.phase ?? "Pending"
                table.add([pod.metadata.namespace ?? "", pod.metadata.name ?? "", "-", reason, "0", "-", "-", "-"])
            }
        }
        print(table.text, terminator: "")
    }

    /// - Parameter nextTry: seconds until a waiting container is tried again.
    private static func state(_ status: ContainerStatus, _ pod: Pod, nextTry: Int64?) -> String {
        if pod.isTerminating, status.state?.terminated == nil { return "Terminating" }
        if let waiting = status.state?.waiting {
            let reason = waiting.reason ?? "Waiting"
            let step = reason == "CrashLoopBackOff" ? "start" : "try"
            return nextTry.map { "\(reason) (next \(step) in \($0)s)" } ?? reason
        }
        if let ended = status.state?.terminated { return "\(ended.reason ?? "Exited") (\(ended.exitCode))" }
        return status.state?.running != nil ? "Running" : "Waiting"
    }

    private static func age(_ start: Timestamp?) -> String {
        guard let start else { return "-" }
        return TextTable.age(seconds: Timestamp.now().since(start).components.seconds)
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Prints the log of a pod's container.")

    @OptionGroup var node: RunOption
    @Argument(help: "POD or NAMESPACE/POD.") var pod: String
    @Option(name: .shortAndLong, help: "Container, when the pod has several.") var container: String?
    @Flag(name: .shortAndLong, help: "Go on with what is written from now on.") var follow = false
    @Flag(name: .shortAndLong, help: "The instance before the last restart.") var previous = false
    @Flag(help: "Begin each line with its time.") var timestamps = false
    @Option(help: "Only so many lines from the end.") var tail: Int?

    func run() async throws {
        let parts = pod.split(separator: "/", maxSplits: 1)
        var query = [
            ("namespace", parts.count == 2 ? String(parts[0]) : "default"), ("pod", String(parts.last ?? "")),
            ("follow", "\(follow)"), ("previous", "\(previous)"), ("timestamps", "\(timestamps)"),
        ]
        if let container { query.append(("container", container)) }
        if let tail { query.append(("tailLines", "\(tail)")) }
        try await LocalClient(run: node.run).stream(.GET, "/v1/logs", query) { piece in
            piece.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count <= 0 { return }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }
}

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Prints the version of this program, and of the node if it runs.")

    @OptionGroup var node: RunOption

    func run() async throws {
        print("swiftlet \(SwiftletCommand.version)")
        let client = LocalClient(run: node.run)
        guard client.isRunning, let answer = try? await client.json(.GET, "/v1/version") else { return }
        print("node \(answer["node"]?.stringValue ?? "?") runs \(answer["version"]?.stringValue ?? "?")")
    }
}
