import ContainerImages
import ContainerRuntime
import KubernetesAPI
import Volumes

/// Why a policy file cannot be in force: every problem, one line each.
public struct NodePolicyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Each as `FILE:LINE:COLUMN: FIELD: REASON`.
    public let problems: [String]

    public init(_ problems: [String]) {
        self.problems = problems
    }

    /// One line: the first problem, and how many there are besides.
    public var description: String {
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        return (problems.first ?? "no reason") + more
    }
}

extension NodePolicy {
    /// Reads a policy: one YAML document or JSON. Whatever is not understood to the letter is refused: a restriction that
    /// is misspelt must not turn into none.
    ///
    /// - Parameter file: names the text in messages.
    public init(parsing text: String, file: String) throws(NodePolicyError) {
        let documents: [YAMLDocument]
        do throws(YAMLSyntaxError) { documents = try YAMLDocuments.parse(text, file: file) } catch {
            throw NodePolicyError(["\(error)"])
        }
        guard let document = documents.first else { return }
        guard documents.count == 1 else {
            throw NodePolicyError(["\(file): more than one document; a node has one list of rules"])
        }
        var reader = PolicyReader(document: document)
        (rules, images) = reader.read()
        guard reader.problems.isEmpty else { throw NodePolicyError(reader.problems) }
    }
}

/// Checks a policy file's fields one by one.
private struct PolicyReader {
    let document: YAMLDocument
    var problems: [String] = []

    /// More than anybody can oversee.
    private static let ruleLimit = 1000
    private static let problemLimit = 20

    init(document: YAMLDocument) {
        self.document = document
    }

    mutating func read() -> ([NodePolicy.Rule], ImageTrustPolicy) {
        guard document.value.objectValue != nil else {
            refuse(.root, "expected a mapping with the field \"rules\"")
            return ([], ImageTrustPolicy())
        }
        for field in Schema(of: PolicyDocument.self).unknownFieldPaths(in: document.value) {
            refuse(field, "unknown field; check its spelling and indentation")
        }
        refuseNothing(document.value, at: .root)
        guard problems.isEmpty else { return ([], ImageTrustPolicy()) }
        let written: PolicyDocument
        do { written = try JSONValueDecoder().decode(PolicyDocument.self, from: document.value) } catch {
            if let error = error as? JSONDecodingError {
                refuse(error.path, error.reason)
            } else {
                refuse(.root, "\(error)")
            }
            return ([], ImageTrustPolicy())
        }
        let (rules, images) = (written.rules ?? [], written.images ?? [])
        for (field, count) in [("rules", rules.count), ("images", images.count)] where count > Self.ruleLimit {
            refuse(FieldPath(field), "\(count) rules are more than the limit of \(Self.ruleLimit)")
            return ([], ImageTrustPolicy())
        }
        return (
            rules.enumerated().map { index, rule in read(rule, at: FieldPath("rules").index(index), index) },
            ImageTrustPolicy(
                rules: images.enumerated().map { index, rule in read(rule, at: FieldPath("images").index(index)) })
        )
    }

    private mutating func read(_ rule: PolicyDocument.ImageProof, at path: FieldPath) -> ImageTrustPolicy.Rule {
        let pattern = rule.pattern ?? ""
        if pattern.isEmpty || !pattern.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "@") })
            || !(pattern.contains("/") || pattern.contains("*"))
        {
            refuse(
                path.child("pattern"),
                "\(JSONValue.string(pattern)) must be registry and repository, without tag, such as docker.io/library/*"
            )
        }
        if (rule.digests ?? []).isEmpty, (rule.keys ?? []).isEmpty {
            refuse(path, "has neither digests nor keys: nothing could be used")
        }
        var proof = ImageTrustPolicy.Rule(pattern: pattern)
        for (index, text) in (rule.digests ?? []).enumerated() {
            if let digest = ContentDigest(text) {
                proof.digests.insert(digest)
            } else {
                refuse(
                    path.child("digests").index(index),
                    "\(JSONValue.string(text)) is no digest: \"sha256:\" and 64 lower-case hexadecimal digits")
            }
        }
        for (index, text) in (rule.keys ?? []).enumerated() {
            if let key = SignatureKey(pem: text) {
                proof.keys.insert(key)
            } else {
                refuse(
                    path.child("keys").index(index),
                    "is no public key in PEM form (BEGIN PUBLIC KEY): ECDSA on P-256, Ed25519, or RSA of 2048 bits and more"
                )
            }
        }
        return proof
    }

    /// `images:` with nothing behind it may be meant as "none" or as "any".
    private mutating func refuseNothing(_ value: JSONValue, at path: FieldPath) {
        if value.isNull, !path.isRoot { return refuse(path, "has no value; give one, or remove the line") }
        for (key, member) in (value.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
            refuseNothing(member, at: path.child(key))
        }
        for (index, element) in (value.arrayValue ?? []).enumerated() {
            refuseNothing(element, at: path.index(index))
        }
    }

    private mutating func read(_ rule: PolicyDocument.Rule, at path: FieldPath, _ index: Int) -> NodePolicy.Rule {
        var sources = Set(PodSource.allCases)
        if let names = rule.sources {
            sources = []
            if names.isEmpty { refuse(path.child("sources"), "names no source, so the rule fits nothing") }
            for (index, name) in names.enumerated() {
                if let source = PodSource(rawValue: name) {
                    sources.insert(source)
                } else {
                    let known = PodSource.allCases.map(\.rawValue).joined(separator: ", ")
                    refuse(path.child("sources").index(index), "\(JSONValue.string(name)) is none of \(known)")
                }
            }
        }
        if rule.namespaces?.isEmpty == true {
            refuse(path.child("namespaces"), "names no namespace, so the rule fits nothing")
        }
        for (index, name) in (rule.namespaces ?? []).enumerated() where !Self.isNamespacePattern(name) {
            refuse(
                path.child("namespaces").index(index),
                "\(JSONValue.string(name)) is no namespace: use lower-case letters, digits, '-', and '*' for anything")
        }
        let allowed = rule.allow ?? PolicyDocument.Allowed()
        check(allowed, at: path.child("allow"))
        return NodePolicy.Rule(
            title: rule.name.map { "\(JSONValue.string($0))" } ?? "\(document.location(of: path))", sources: sources,
            namespaces: rule.namespaces ?? [], isTrusted: rule.trusted ?? false, allowed: allowed)
    }

    private mutating func check(_ allowed: PolicyDocument.Allowed, at path: FieldPath) {
        for (index, name) in (allowed.capabilities ?? []).enumerated()
        where name != "ALL" && Capability(name: name) == nil {
            refuse(
                path.child("capabilities").index(index),
                "\(JSONValue.string(name)) is no capability: use a name of capabilities(7), or ALL")
        }
        for (index, name) in (allowed.unsafeSysctls ?? []).enumerated()
        where name.isEmpty || name.dropLast().contains("*") {
            refuse(
                path.child("unsafeSysctls").index(index),
                "\(JSONValue.string(name)) must be a name, or the beginning of names followed by '*'")
        }
        for (name, access) in (allowed.hostPaths ?? [:]).sorted(by: { $0.key < $1.key }) {
            let place = FieldPath(elements: path.elements + [.field("hostPaths"), .key(name)])
            if HostPath(name)?.description != name {
                refuse(
                    place,
                    "\(JSONValue.string(name)) must be absolute, without \"..\", \".\" and superfluous slashes")
            }
            if access == HostPathAccess.readWrite.rawValue, name == "/proc" || name == "/sys" {
                refuse(place, "\"\(access)\" is more than any pod gets of the kernel's own: use readOnly or none")
            }
            if HostPathAccess(rawValue: access) == nil {
                let known = HostPathAccess.allCases.map(\.rawValue).joined(separator: ", ")
                refuse(place, "\(JSONValue.string(access)) is none of \(known)")
            }
        }
        for (index, prefix) in (allowed.images ?? []).enumerated() where !Self.isImagePrefix(prefix) {
            refuse(
                path.child("images").index(index),
                "\(JSONValue.string(prefix)) must begin with a registry and a slash, such as docker.io/library/")
        }
    }

    private static func isNamespacePattern(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "*")
            }
    }

    /// As image names are written in full: a registry has a dot, a port, or is localhost.
    private static func isImagePrefix(_ text: String) -> Bool {
        guard let slash = text.firstIndex(of: "/") else { return false }
        let registry = text[..<slash]
        return registry == "localhost" || (registry.contains { $0 == "." || $0 == ":" } && !registry.hasPrefix("."))
    }

    private mutating func refuse(_ path: FieldPath, _ reason: String) {
        guard problems.count < Self.problemLimit else { return }
        problems.append("\(document.location(of: path)): \(reason)")
    }
}
