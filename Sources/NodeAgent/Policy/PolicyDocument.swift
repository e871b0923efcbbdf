import Volumes

/// The policy file as it is written. Every field may be left out; none may be left empty.
struct PolicyDocument: Codable, Hashable, Sendable {
    /// In order: the first that fits a pod decides. Pods that none fits are under the built-in rule of their source.
    var rules: [Rule]?
    /// In order: the first whose pattern fits an image's name decides what the image must prove, whoever wants it.
    var images: [ImageProof]?

    struct ImageProof: Codable, Hashable, Sendable {
        /// Registry and repository as image names are written in full; `*` stands for any text: `docker.io/library/*`.
        var pattern: String?
        /// `sha256:…` of manifests, indexes, or image IDs: whatever has one of them may be used.
        var digests: [String]?
        /// Public keys in PEM form, as cosign has them: whatever one of them has signed may be used.
        var keys: [String]?
    }

    struct Rule: Codable, Hashable, Sendable {
        /// For messages.
        var name: String?
        /// Where the pods come from: `file` (manifest directory), `http` (manifest URL), `api` (control endpoint).
        /// All three when it is left out.
        var sources: [String]?
        /// The pods' namespaces; `*` stands for anything, as in `team-*`. All when it is left out.
        var namespaces: [String]?
        /// What `allow` does not mention is as for manifest files, which is everything, instead of as without a rule.
        var trusted: Bool?
        var allow: Allowed?
    }

    /// What the pods under a rule may ask for. ``PolicyGrants`` says what each field is about.
    struct Allowed: Codable, Hashable, Sendable {
        var privileged: Bool?
        var hostNetwork: Bool?
        var hostPID: Bool?
        var hostIPC: Bool?
        var hostPorts: Bool?
        var hostUsers: Bool?
        var runAsRoot: Bool?
        var capabilities: [String]?
        var unsafeSysctls: [String]?
        var seccompUnconfined: Bool?
        var appArmorUnconfined: Bool?
        var procMountUnmasked: Bool?
        var bidirectionalPropagation: Bool?
        var hostRootfs: Bool?
        /// Path to `none`, `readOnly` or `readWrite`. The longest path that fits decides; what none fits is refused.
        var hostPaths: [String: String]?
        var images: [String]?

        /// The grants of a rule: these fields, and what is left out as in `base`.
        func applied(to base: PolicyGrants) -> PolicyGrants {
            var grants = base
            let flags: [(Bool?, WritableKeyPath<PolicyGrants, Bool>)] = [
                (privileged, \.privileged), (hostNetwork, \.hostNetwork), (hostPID, \.hostPID), (hostIPC, \.hostIPC),
                (hostPorts, \.hostPorts), (hostUsers, \.hostUsers), (runAsRoot, \.runAsRoot),
                (seccompUnconfined, \.seccompUnconfined), (appArmorUnconfined, \.appArmorUnconfined),
                (procMountUnmasked, \.procMountUnmasked), (bidirectionalPropagation, \.bidirectionalPropagation),
                (hostRootfs, \.hostRootfs),
            ]
            for case (let value?, let flag) in flags { grants[keyPath: flag] = value }
            if let capabilities { grants.capabilities = Set(capabilities.map(Self.capabilityName)) }
            if let unsafeSysctls { grants.unsafeSysctls = unsafeSysctls }
            if let images { grants.images = images }
            if let hostPaths {
                grants.hostPaths = HostPathGrants(literals: hostPaths.compactMapValues(HostPathAccess.init))
            }
            return grants
        }

        /// Without `CAP_`.
        static func capabilityName(_ name: String) -> String {
            name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
        }
    }
}
