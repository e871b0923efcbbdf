public import ContainerImages

/// What pods may ask of this node, decided on the node alone: the control endpoint can neither read nor widen it.
///
/// The first rule that fits a pod's source and namespace decides, by itself; what it does not mention is as without a rule.
public struct NodePolicy: Hashable, Sendable {
    /// Some pods and what they may ask for.
    public struct Rule: Hashable, Sendable {
        /// For messages: its name in quotation marks, or its place in the file.
        public var title: String
        public var sources: Set<PodSource>
        /// Names, in which `*` stands for anything; empty is every namespace.
        public var namespaces: [String]
        /// What is not mentioned is as for manifest files.
        public var isTrusted: Bool
        /// What the rule mentions.
        var allowed: PolicyDocument.Allowed

        func fits(_ source: PodSource, _ namespace: String) -> Bool {
            sources.contains(source)
                && (namespaces.isEmpty || namespaces.contains { NamePattern.matches($0, namespace) })
        }
    }

    public var rules: [Rule] = []
    /// What images must prove before they are unpacked or used.
    public var images = ImageTrustPolicy()

    /// Without a rule of its own.
    public init() {}

    /// The rule for these pods and all that it allows.
    ///
    /// - Parameter allowsHostRootfsFromAPI: see ``PolicyGrants/standard(for:allowsHostRootfsFromAPI:)``.
    func grants(
        for source: PodSource, namespace: String, allowsHostRootfsFromAPI: Bool
    ) -> (grants: PolicyGrants, title: String) {
        let standard = PolicyGrants.standard(for: source, allowsHostRootfsFromAPI: allowsHostRootfsFromAPI)
        guard let rule = rules.first(where: { $0.fits(source, namespace) }) else {
            return (standard, "the built-in rule for source \(source.rawValue)")
        }
        return (rule.allowed.applied(to: rule.isTrusted ? .everything : standard), "rule \(rule.title)")
    }
}

/// A text in which `*` stands for any number of characters, and everything else for itself.
enum NamePattern {
    static func matches(_ pattern: String, _ name: String) -> Bool {
        let (pattern, name) = (Array(pattern.utf8), Array(name.utf8))
        let star = UInt8(ascii: "*")
        var (inPattern, inName) = (0, 0)
        // Where the last star was, and how much of the name it stood for: on a mismatch it takes one character more.
        var retry: (pattern: Int, name: Int)?
        while inName < name.count {
            if inPattern < pattern.count, pattern[inPattern] == star {
                retry = (inPattern, inName)
                inPattern += 1
            } else if inPattern < pattern.count, pattern[inPattern] == name[inName] {
                inPattern += 1
                inName += 1
            } else if let last = retry {
                retry = (last.pattern, last.name + 1)
                inPattern = last.pattern + 1
                inName = last.name + 1
            } else {
                return false
            }
        }
        return pattern[inPattern...].allSatisfy { $0 == star }
    }
}
