public import KubernetesAPI
import Synchronization

/// What has happened on this node since the agent started, counted from the events it tells people of: nothing is counted
/// that nobody can look up.
public final class AgentCounters: Sendable {
    public struct Counts: Hashable, Sendable {
        /// By kind of container, as kubelet names them: `container`, `init_container`, `ephemeral_container`.
        public var startedContainers: [String: UInt64] = [:]
        /// Containers that could not be made or started, likewise.
        public var failedContainers: [String: UInt64] = [:]
        public var failedSandboxes: UInt64 = 0
        /// Pods that were not taken, by reason.
        public var rejections: [String: UInt64] = [:]

        public init() {}
    }

    private let counts = Mutex(Counts())

    public init() {}

    public var current: Counts { counts.withLock { $0 } }

    /// Takes note of an event about an object.
    public func record(_ object: ObjectReference, reason: String) {
        guard object.kind == "Pod" else { return }
        let kind = Self.containerKind(object.fieldPath ?? "")
        counts.withLock { counts in
            switch reason {
            case "Started": counts.startedContainers[kind, default: 0] += 1
            case "Failed" where kind != "": counts.failedContainers[kind, default: 0] += 1
            case "FailedCreatePodSandBox": counts.failedSandboxes += 1
            default:
                if Self.isRejection(reason) { counts.rejections[reason, default: 0] += 1 }
            }
        }
    }

    /// `spec.initContainers{name}`.
    private static func containerKind(_ fieldPath: String) -> String {
        if fieldPath.hasPrefix("spec.initContainers{") { return "init_container" }
        if fieldPath.hasPrefix("spec.ephemeralContainers{") { return "ephemeral_container" }
        return fieldPath.hasPrefix("spec.containers{") ? "container" : ""
    }

    private static let rejections: Set<String> = [
        "NodeAffinity", "NodeName", "NodePorts", "PodFeatureUnsupported", "PodFeatureForbidden", "SysctlForbidden",
        "UnexpectedAdmissionError", "TopologyAffinityError", "SMTAlignmentError", "PodOSSelectorNodeLabelDoesNotMatch",
        "PodOSNotSupported", "InvalidNodeInfo", "AppArmor", "NodePolicy",
    ]

    private static func isRejection(_ reason: String) -> Bool {
        rejections.contains(reason) || reason.hasPrefix("OutOf")
    }
}
