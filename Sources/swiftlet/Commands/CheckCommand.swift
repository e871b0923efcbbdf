import ArgumentParser
import KubernetesAPI
import LinuxKernel
import NodeAgent

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Scores this host, or the exposure of one of its pods, with a fix for each finding.")

    @OptionGroup var node: RunOption
    @Argument(help: "POD or NAMESPACE/POD of the running node; without it the host is examined.") var pod: String?
    @Option(name: .shortAndLong, help: "table or json.") var output = OutputFormat.table
    @Option(help: "The node's policy file. (default: /etc/swiftlet/policy.yaml)") var policy: String?

    func run() async throws {
        if let pod { try await checkPod(pod) } else { try checkHost() }
    }

    private func checkHost() throws {
        let findings = HostCheck.run(try CgroupHierarchies.discover()) + [HostCheck.unpacking(), policyFinding]
        let score = HostScore(findings)
        switch output {
        case .json: print(Self.json(findings, score))
        case .table:
            for finding in findings {
                let mark =
                    switch finding.severity {
                    case .ok: "ok     "
                    case .warning: "warning"
                    case .failure: "FAILED "
                    }
                print("\(mark)  \(finding.subject): \(finding.message)")
                if !finding.fix.isEmpty { print("         fix: \(finding.fix)") }
            }
            print("score    \(score.points) of 100, with \(score.failures) failed and \(score.warnings) warnings")
        }
        if score.failures > 0 { throw ExitCode(1) }
    }

    private static func json(_ findings: [HostFinding], _ score: HostScore) -> String {
        let value: JSONValue = [
            "score": .integer(Int64(score.points)), "failures": .integer(Int64(score.failures)),
            "warnings": .integer(Int64(score.warnings)),
            "findings": .array(
                findings.map { finding in
                    [
                        "severity": .string(finding.severity.rawValue), "subject": .string(finding.subject),
                        "message": .string(finding.message), "fix": .string(finding.fix),
                        "weight": .integer(Int64(finding.weight)),
                    ]
                }),
        ]
        return String(decoding: value.serialized(), as: UTF8.self)
    }

    private func checkPod(_ text: String) async throws {
        let parts = text.split(separator: "/", maxSplits: 1)
        let (namespace, name) = (parts.count == 2 ? String(parts[0]) : "default", String(parts.last ?? ""))
        let list = try await LocalClient(run: node.run).json(.GET, "/v1/pods")
        let found = (list["items"]?.arrayValue ?? []).first {
            $0[path: "metadata", "name"]?.stringValue == name
                && $0[path: "metadata", "namespace"]?.stringValue == namespace
        }
        guard let found else {
            throw SettingError("pod \(namespace)/\(name) is not on this node: `swiftlet ps` lists the pods")
        }
        let exposure = PodExposure(try JSONValueDecoder().decode(Pod.self, from: found))
        switch output {
        case .table: print(exposure.text(of: "\(namespace)/\(name)"), terminator: "")
        case .json:
            var value = exposure.json
            value["namespace"] = .string(namespace)
            value["pod"] = .string(name)
            print(String(decoding: value.serialized(), as: UTF8.self))
        }
    }
}

extension CheckCommand {
    private var policyFinding: HostFinding {
        do throws(NodePolicyError) {
            return HostCheck.policy(
                try NodePolicySource(
                    path: policy ?? NodeSettings.defaultPolicyFile, isRequired: policy != nil,
                    logger: LogOutput.logger("swiftlet")))
        } catch {
            return HostFinding(
                .failure, "policy", "\(error)", fix: "correct the file: a node does not start with it")
        }
    }
}
