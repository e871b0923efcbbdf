import Glibc
public import KubernetesAPI
public import LinuxKernel
public import Volumes

/// Holds pods to the node's policy: before anything of a pod is made, at every start of a container, and when a host path
/// is mounted.
public struct PodPolicyCheck: HostPathGuarding {
    private let source: NodePolicySource
    private let protected: ProtectedPaths
    private let allowsHostRootfsFromAPI: Bool
    private let helper: FileSystemHelper?
    /// All other pods wait meanwhile.
    private static let patience = Duration.seconds(1)

    /// - Parameters:
    ///   - allowsHostRootfsFromAPI: the control endpoint is the node's own.
    ///   - helper: finds out where a look may hang; nil takes everything for what answers.
    public init(
        source: NodePolicySource, protected: ProtectedPaths, allowsHostRootfsFromAPI: Bool,
        helper: FileSystemHelper? = nil
    ) {
        self.source = source
        self.protected = protected
        self.allowsHostRootfsFromAPI = allowsHostRootfsFromAPI
        self.helper = helper
    }

    /// A pod that was refused, or a container of it.
    public struct Verdict: Hashable, Sendable {
        public var refusals: [PolicyRefusal]
        public var source: PodSource
        /// One line for people: the first refusal, and the fields of the others.
        public var message: String

        /// For the log.
        public var fields: String { refusals.map(\.field).joined(separator: ", ") }
    }

    /// - Parameter container: only this one and the pod's own fields; nil for the whole pod without its ephemeral
    ///   containers.
    /// - Returns: nil when everything is allowed.
    public func decide(_ pod: Pod, container: String? = nil) async -> Verdict? {
        let paths = await answering((pod.spec.volumes ?? []).compactMap { $0.hostPath?.path })
        let resolved = paths.isEmpty ? [:] : await KernelThreadPool.foreign.run { Self.resolve(paths) }
        let (grants, rule) = grants(of: pod)
        var decision = PolicyDecision(
            pod, grants: grants, rule: rule, protected: protected, resolvedPaths: resolved)
        let refusals = decision.refusals(ofContainer: container)
        guard let first = refusals.first else { return nil }
        var message = first.message(namespace: pod.metadata.namespace ?? "", policyFile: source.path)
        if refusals.count > 1 {
            let others = refusals.dropFirst().prefix(8).map(\.field).joined(separator: ", ")
            message += "; also refused: \(others)" + (refusals.count > 9 ? " and more" : "")
        }
        return Verdict(refusals: refusals, source: Self.source(of: pod), message: message)
    }

    /// The others are held to the policy as they are written, and as where they lead once they are mounted.
    private func answering(_ paths: [String]) async -> [String] {
        guard let helper else { return paths }
        return await withTaskGroup(of: String?.self) { group in
            for path in Set(paths) where HostPath(path) != nil {
                group.addTask { (try? await helper.answers(path, within: Self.patience)) == true ? path : nil }
            }
            return await group.reduce(into: []) { answering, path in if let path { answering.append(path) } }
        }
    }

    public func access(of pod: Pod, to path: String) -> HostPathAccess {
        guard let path = HostPath(path) else { return .none }
        return PolicyDecision.access(to: path, grants(of: pod).grants, protected).access
    }

    /// Kernel parameters beyond the safe ones that the pod may set: names, or prefixes ending in `*`.
    public func unsafeSysctls(of pod: Pod) -> [String] { grants(of: pod).grants.unsafeSysctls }

    private func grants(of pod: Pod) -> (grants: PolicyGrants, title: String) {
        source.policy.grants(
            for: Self.source(of: pod), namespace: pod.metadata.namespace ?? "",
            allowsHostRootfsFromAPI: allowsHostRootfsFromAPI)
    }

    /// As the agent has marked it. A pod without a mark is trusted least.
    private static func source(of pod: Pod) -> PodSource {
        pod.metadata.annotations?[PodAnnotations.source].flatMap(PodSource.init) ?? .api
    }

    /// Where paths lead right now: their longest part that exists, free of links, and the rest. Blocks on the disk.
    static func resolve(_ paths: [String]) -> [String: String] {
        var resolved: [String: String] = [:]
        for path in paths {
            guard let hostPath = HostPath(path) else { continue }
            let parts = hostPath.components
            for count in stride(from: parts.count, through: 0, by: -1) {
                guard let found = realpath("/" + parts[..<count].joined(separator: "/"), nil) else { continue }
                defer { free(found) }
                let start = String(cString: found)
                let rest = parts[count...].map { "/" + $0 }.joined()
                resolved[path] = rest.isEmpty ? start : (start == "/" ? "" : start) + rest
                break
            }
        }
        return resolved
    }
}

extension ProtectedPaths {
    /// The node's own directories, as they are named and as where they lead. Blocks on the disk.
    public init(root: String, run: String, logDirectory: String) {
        func both(_ paths: [String]) -> [String] { paths + PodPolicyCheck.resolve(paths).values }
        self.init(sealed: both([root, run]), logs: both([logDirectory + "/pods", logDirectory + "/containers"]))
    }
}
