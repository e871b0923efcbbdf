import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What a policy file says")
struct NodePolicyTests {
    private static let file = "/etc/swiftlet/policy.yaml"

    private func problems(_ text: String) -> [String] {
        do throws(NodePolicyError) {
            _ = try NodePolicy(parsing: text, file: Self.file)
            return []
        } catch {
            return error.problems
        }
    }

    @Test("the first rule that fits source and namespace decides, and what it leaves out is as without a rule")
    func firstRule() throws {
        let policy = try NodePolicy(
            parsing: """
                rules:
                - name: monitoring
                  sources: [api]
                  namespaces: [monitoring, "team-*-ops"]
                  allow: {hostPID: true}
                - sources: [api]
                  namespaces: ["team-*"]
                  allow: {hostPID: false, hostNetwork: false, images: [registry.example.com/team/]}
                - sources: [http]
                  trusted: true
                  allow: {privileged: false}
                """, file: Self.file)
        func grants(_ source: PodSource, _ namespace: String) -> (grants: PolicyGrants, title: String) {
            policy.grants(for: source, namespace: namespace, allowsHostRootfsFromAPI: false)
        }
        #expect(grants(.api, "monitoring").grants.hostPID)
        #expect(grants(.api, "monitoring").grants.hostNetwork)
        #expect(!grants(.api, "monitoring").grants.privileged)
        #expect(grants(.api, "monitoring").title == "rule \"monitoring\"")
        #expect(grants(.api, "team-a-ops").grants.hostPID)
        #expect(!grants(.api, "team-a").grants.hostNetwork)
        #expect(grants(.api, "team-a").title == "rule \(Self.file):6:3: rules[1]")
        #expect(grants(.api, "team-a").grants.images == ["registry.example.com/team/"])
        #expect(!grants(.api, "teams").grants.hostPID)
        #expect(grants(.api, "teams").title == "the built-in rule for source api")
        #expect(grants(.http, "x").grants.hostPID)
        #expect(!grants(.http, "x").grants.privileged)
        #expect(grants(.file, "monitoring").grants == .everything)
    }

    @Test(
        "built-in rules: everything for manifest files, nothing dangerous for others",
        arguments: [
            (PodSource.file, true, true, true), (.http, false, true, true), (.api, false, true, false),
        ])
    func builtIn(_ source: PodSource, _ isTrusted: Bool, _ ordinary: Bool, _ hostRootfs: Bool) {
        let grants = NodePolicy().grants(for: source, namespace: "n", allowsHostRootfsFromAPI: false).grants
        #expect(grants.privileged == isTrusted)
        #expect(grants.hostPID == isTrusted)
        #expect(grants.hostIPC == isTrusted)
        #expect(grants.procMountUnmasked == isTrusted)
        #expect(grants.bidirectionalPropagation == isTrusted)
        #expect(grants.capabilities == (isTrusted ? ["ALL"] : []))
        #expect(grants.unsafeSysctls == (isTrusted ? ["*"] : []))
        #expect(grants.hostNetwork == ordinary)
        #expect(grants.hostPorts == ordinary)
        #expect(grants.hostUsers == ordinary)
        #expect(grants.images == nil)
        #expect(grants.hostRootfs == hostRootfs)
    }

    @Test("the node's own endpoint may use the host's root file system")
    func embedded() {
        #expect(NodePolicy().grants(for: .api, namespace: "n", allowsHostRootfsFromAPI: true).grants.hostRootfs)
    }

    @Test("an empty file has no rules", arguments: ["", "# nothing\n", "{}", "rules: []"])
    func empty(_ text: String) throws {
        #expect(try NodePolicy(parsing: text, file: Self.file) == NodePolicy())
    }

    @Test(
        "what is not understood to the letter is refused with its place",
        arguments: [
            ("rules: {}", "policy.yaml:1:1: rules: "),
            ("[]", "expected a mapping"),
            ("rule: []", "policy.yaml:1:1: rule: unknown field"),
            ("rules:\n- allow: {privilged: true}", "policy.yaml:2:11: rules[0].allow.privilged: unknown field"),
            ("rules:\n- allow: {privileged: \"yes\"}", "rules[0].allow.privileged: "),
            ("rules:\n- allow: {privileged: 1}", "rules[0].allow.privileged: "),
            ("rules:\n- allow:\n    images:\n", "rules[0].allow.images: has no value"),
            ("rules:\n-", "rules[0]: has no value"),
            ("rules:\n- sources: []", "rules[0].sources: names no source"),
            ("rules:\n- sources: [apis]", "rules[0].sources[0]: \"apis\" is none of file, http, api"),
            ("rules:\n- namespaces: []", "rules[0].namespaces: names no namespace"),
            ("rules:\n- namespaces: [Kube]", "rules[0].namespaces[0]: \"Kube\" is no namespace"),
            ("rules:\n- allow: {capabilities: [NET_ADMNI]}", "capabilities[0]: \"NET_ADMNI\" is no capability"),
            ("rules:\n- allow: {hostPaths: {srv: readOnly}}", "must be absolute"),
            ("rules:\n- allow: {hostPaths: {/srv/../etc: readOnly}}", "must be absolute"),
            ("rules:\n- allow: {hostPaths: {/srv/: readOnly}}", "superfluous slashes"),
            ("rules:\n- allow: {hostPaths: {/proc: readWrite}}", "use readOnly or none"),
            ("rules:\n- allow: {hostPaths: {/srv: ro}}", "\"ro\" is none of none, readOnly, readWrite"),
            ("rules:\n- allow: {hostPaths: [/srv]}", "rules[0].allow.hostPaths"),
            ("rules:\n- allow: {images: [nginx]}", "images[0]: \"nginx\" must begin with a registry"),
            ("rules:\n- allow: {unsafeSysctls: [\"a*b\"]}", "unsafeSysctls[0]"),
            ("rules:\n- allow: {hostPID: true, hostPID: false}", "duplicate key"),
            ("rules: []\n---\nrules: []", "more than one document"),
            ("rules: [", "policy.yaml:"),
            ("a: &a [x]\nb: *a", "unknown field"),
        ])
    func refused(_ text: String, _ expected: String) {
        let problems = problems(text)
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
        #expect(problems.allSatisfy { !$0.contains("\n") && $0.hasPrefix(Self.file) }, "\(problems)")
    }

    @Test("a file with very many mistakes or rules is refused in few lines")
    func limits() {
        let mistakes = "rules:\n" + String(repeating: "- {alow: {}}\n", count: 5000)
        #expect((1...20).contains(problems(mistakes).count))
        let rules = "rules:\n" + String(repeating: "- {allow: {hostPID: true}}\n", count: 1001)
        #expect(problems(rules).first?.contains("limit of 1000") == true)
    }

    @Test(
        "a star stands for anything, everything else for itself",
        arguments: [
            ("*", "", true), ("*", "any", true), ("a", "a", true), ("a", "ab", false), ("a*", "a", true),
            ("a*", "ba", false), ("*a", "bca", true), ("a*b*c", "a-b-b-c", true), ("a*b*c", "a-b-b", false),
            ("a**b", "ab", true), ("", "", true), ("", "a", false), ("*-*", "kube-system", true),
            (String(repeating: "a*", count: 30), String(repeating: "a", count: 63) + "b", true),
            (String(repeating: "a*", count: 30) + "c", String(repeating: "a", count: 63) + "b", false),
        ])
    func patterns(_ pattern: String, _ name: String, _ expected: Bool) {
        #expect(NamePattern.matches(pattern, name) == expected)
    }
}
