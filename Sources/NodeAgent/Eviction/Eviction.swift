import KubernetesAPI
import LinuxKernel

/// One pod to be evicted: what it is told, and how it is counted.
struct Eviction: Hashable, Sendable {
    /// Of the status and of the event.
    static let reason = "Evicted"

    var message: String
    /// Of the event.
    var annotations: [String: String] = [:]
    /// What it is counted under: the signal, or the limit that was exceeded.
    var signal: String

    /// For lack of something on the node, in the words that tools look for.
    init(_ candidate: EvictionCandidate, for shortage: EvictionDecision.Shortage) {
        let signal = shortage.threshold.signal
        let resource = signal.resource
        let amount = shortage.threshold.quantity(of: shortage.observation)
        let left = shortage.observation.available
        let available: Quantity = signal.isInBytes ? .bytes(left) : .count(left)
        message =
            "The node was low on resource: \(resource). "
            + "Threshold quantity: \(amount), available: \(available). "
        var offenders: [(name: String, usage: Quantity)] = []
        for container in candidate.pod.spec.containers {
            guard let used = Self.usage(of: container.name, candidate, resource) else { continue }
            let request = container.resources?.requests?[resource] ?? .zero
            guard Quantity.bytes(used) > request else { continue }
            let usage = Quantity.bytes(used)
            message +=
                "Container \(container.name) was using \(usage), request is \(request), "
                + "has larger consumption of \(resource). "
            offenders.append((container.name, usage))
        }
        annotations = [
            "offending_containers": offenders.map(\.name).joined(separator: ","),
            "offending_containers_usage": offenders.map(\.usage.description).joined(separator: ","),
            "starved_resource": resource,
        ]
        self.signal = signal.rawValue
    }

    private init(_ message: String, signal: String) {
        self.message = message
        self.signal = signal
    }

    private static func usage(of container: String, _ candidate: EvictionCandidate, _ resource: String) -> Int64? {
        switch resource {
        case "memory": candidate.containerMemoryBytes[container]
        case "ephemeral-storage": candidate.disk?.containers[container].map { Int64(clamping: $0.total.bytes) }
        default: nil
        }
    }

    // MARK: Limits of local storage

    /// A pod that takes more of the disk than it may; nil for one that does not.
    static func forStorage(of pod: Pod, _ usage: EphemeralStorageUsage) -> Eviction? {
        for volume in pod.spec.volumes ?? [] {
            guard let limit = volume.emptyDir?.sizeLimit, !limit.isNegative, !limit.isZero,
                let used = usage.volumes[volume.name], exceeds(used, limit)
            else { continue }
            return Eviction(
                "Usage of EmptyDir volume \"\(volume.name)\" exceeds the limit \"\(limit)\". ",
                signal: "emptydirfs.limit")
        }
        if let limit = pod.spec.totalLimits["ephemeral-storage"], exceeds(usage.total, limit) {
            return Eviction(
                "Pod ephemeral local storage usage exceeds the total limit of containers \(limit). ",
                signal: "ephemeralpodfs.limit")
        }
        for container in pod.spec.containers + (pod.spec.initContainers ?? []) {
            guard let limit = container.resources?.limits?["ephemeral-storage"],
                let used = usage.containers[container.name], exceeds(used.total, limit)
            else { continue }
            return Eviction(
                "Container \(container.name) exceeded its local ephemeral storage limit \"\(limit)\". ",
                signal: "ephemeralcontainerfs.limit")
        }
        return nil
    }

    /// Whether what a pod takes of the disk has to be watched.
    static func hasStorageLimit(_ pod: Pod) -> Bool {
        let hasSize = pod.spec.volumes?.contains { volume in
            guard let source = volume.emptyDir, source.medium?.isEmpty ?? true else { return false }
            return source.sizeLimit.map { !$0.isZero } ?? false
        }
        return hasSize == true || pod.spec.totalLimits["ephemeral-storage"] != nil
    }

    private static func exceeds(_ usage: DiskUsage, _ limit: Quantity) -> Bool {
        Int64(clamping: usage.bytes) > limit.value
    }
}
