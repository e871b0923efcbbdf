import KubernetesAPI
import LinuxKernel

/// A pod that may be evicted, and what it uses. An amount is nil when it could not be found out.
struct EvictionCandidate: Sendable {
    var pod: Pod
    var memoryBytes: Int64?
    var processes: Int64?
    var disk: EphemeralStorageUsage?
    /// The working set of each container.
    var containerMemoryBytes: [String: Int64] = [:]

    /// What the pod was promised, in whole units.
    func request(of resource: String) -> Int64 { pod.spec.totalRequests[resource]?.value ?? 0 }

    func usage(of resource: String) -> Int64? {
        switch resource {
        case "memory": memoryBytes
        case "ephemeral-storage": disk.map { Int64(clamping: $0.total.bytes) }
        case "inodes": disk.map { Int64(clamping: $0.total.inodes) }
        case "pids": processes
        default: nil
        }
    }

    var priority: Int32 { pod.spec.priority ?? 0 }
}
