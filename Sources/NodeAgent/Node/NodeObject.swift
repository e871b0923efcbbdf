public import KubernetesAPI
import LinuxKernel

/// Builds the Node object of this machine. Pure.
public enum NodeObject {
    /// The condition that says which limits this host cannot keep.
    public static let resourcesEnforced = "swiftlet.dev/ResourcesEnforced"

    /// The most images and names of one image a Node tells of.
    static let imageLimit = 50
    static let imageNameLimit = 5

    /// - Parameters:
    ///   - problems: what is wrong with the node now.
    ///   - shortfalls: what the host lacks to enforce limits, as sentences; empty when it lacks nothing.
    ///   - images: on this node; the largest are told.
    ///   - now: the heartbeat of the conditions, and their transition until merged with what was known.
    public static func build(
        _ configuration: NodeConfiguration, _ information: NodeInformation, problems: [NodeProblem] = [],
        shortfalls: [String] = [], images: [ContainerImage] = [], now: Timestamp
    ) -> Node {
        let capacity = capacity(configuration, information)
        return Node(
            metadata: ObjectMeta(
                name: configuration.name, labels: labels(configuration, information),
                annotations: ["volumes.kubernetes.io/controller-managed-attach-detach": "true"]),
            spec: NodeSpec(
                podCIDR: configuration.podCIDRs.first,
                podCIDRs: configuration.podCIDRs.isEmpty ? nil : configuration.podCIDRs,
                taints: configuration.taints.isEmpty ? nil : configuration.taints),
            status: NodeStatus(
                capacity: capacity, allocatable: allocatable(capacity, configuration),
                conditions: conditions(problems, shortfalls, now: now), addresses: addresses(configuration),
                daemonEndpoints: NodeDaemonEndpoints(kubeletEndpoint: DaemonEndpoint(port: configuration.kubeletPort)),
                nodeInfo: systemInfo(configuration, information), images: told(images),
                runtimeHandlers: [
                    NodeRuntimeHandler(
                        features: NodeRuntimeHandlerFeatures(
                            recursiveReadOnlyMounts: true, userNamespaces: configuration.hasUserNamespaces))
                ],
                features: NodeFeatures(supplementalGroupsPolicy: true)))
    }

    /// Labels every node has, and the configured ones; the well-known ones cannot be changed.
    static func labels(_ configuration: NodeConfiguration, _ information: NodeInformation) -> [String: String] {
        let wellKnown = [
            "kubernetes.io/hostname": configuration.name, "kubernetes.io/os": "linux",
            "kubernetes.io/arch": information.architecture, "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/arch": information.architecture,
        ]
        return configuration.labels.merging(wellKnown) { $1 }
    }

    static func capacity(_ configuration: NodeConfiguration, _ information: NodeInformation) -> [String: Quantity] {
        var capacity: [String: Quantity] = [
            "cpu": .cores(information.processors), "memory": .bytes(information.memory),
            "ephemeral-storage": .bytes(information.ephemeralStorage), "pods": .count(configuration.maxPods),
        ]
        for pool in information.hugePages { capacity[pool.resourceName] = .bytes(pool.bytes) }
        return capacity
    }

    /// Capacity less what is set aside and what eviction keeps free; never below nothing.
    static func allocatable(_ capacity: [String: Quantity], _ configuration: NodeConfiguration) -> [String: Quantity] {
        var allocatable = capacity
        func subtract(_ amount: Quantity, from name: String) {
            guard let value = allocatable[name] else { return }
            let rest = value - amount
            allocatable[name] = rest.isNegative ? .zero : rest
        }
        for name in ["cpu", "memory", "ephemeral-storage"] {
            subtract(configuration.reservation.amount(name), from: name)
        }
        // Memory in huge pages is no memory for anything else.
        for (name, amount) in capacity where name.hasPrefix("hugepages-") { subtract(amount, from: "memory") }
        subtract(.bytes(max(0, configuration.evictionMemoryBytes)), from: "memory")
        let percent = min(max(0, configuration.evictionNodefsPercent), 100)
        let storage = capacity["ephemeral-storage"]?.value ?? 0
        // Divided first: a size near the limit of the type must not overflow.
        let (whole, rest) = storage.quotientAndRemainder(dividingBy: 100)
        subtract(.bytes(whole * percent + rest * percent / 100), from: "ephemeral-storage")
        return allocatable
    }

    static func addresses(_ configuration: NodeConfiguration) -> [NodeAddress] {
        configuration.addresses.map { NodeAddress(type: NodeAddressType.internalIP.rawValue, address: $0) }
            + [NodeAddress(type: NodeAddressType.hostName.rawValue, address: configuration.name)]
    }

    private static func systemInfo(
        _ configuration: NodeConfiguration, _ information: NodeInformation
    ) -> NodeSystemInfo {
        NodeSystemInfo(
            machineID: information.machineID, systemUUID: information.systemUUID, bootID: information.bootID,
            kernelVersion: information.kernelVersion, osImage: information.osImage,
            containerRuntimeVersion: "swiftlet://\(configuration.version)",
            kubeletVersion: "v1.36.0-swiftlet.\(configuration.version)", operatingSystem: "linux",
            architecture: information.architecture,
            swap: information.swap > 0 ? NodeSwapStatus(capacity: information.swap) : nil)
    }

    /// The largest images, names by digest first.
    private static func told(_ images: [ContainerImage]) -> [ContainerImage]? {
        let largest = images.sorted {
            ($1.sizeBytes ?? 0, $0.names.first ?? "") < ($0.sizeBytes ?? 0, $1.names.first ?? "")
        }
        let told = largest.prefix(imageLimit).map { image in
            let names = image.names.filter { $0.contains("@") } + image.names.filter { !$0.contains("@") }
            return ContainerImage(names: Array(names.prefix(imageNameLimit)), sizeBytes: image.sizeBytes)
        }
        return told.isEmpty ? nil : told
    }

    // MARK: Conditions

    /// In the order clients show them; Ready last.
    private static func conditions(
        _ problems: [NodeProblem], _ shortfalls: [String], now: Timestamp
    ) -> [NodeCondition] {
        func messages(_ condition: NodeProblem.Condition) -> [String] {
            problems.filter { $0.condition == condition }.map(\.message)
        }
        func condition(_ type: String, _ value: Bool, _ reason: String, _ message: String) -> NodeCondition {
            NodeCondition(
                type: type, status: (value ? ConditionStatus.true : .false).rawValue,
                lastHeartbeatTime: now.wholeSeconds, lastTransitionTime: now.wholeSeconds, reason: reason,
                message: message)
        }
        func pressure(
            _ problem: NodeProblem.Condition, reasons: (healthy: String, pressed: String), healthy: String
        ) -> NodeCondition {
            let found = messages(problem)
            return condition(
                problem.rawValue, !found.isEmpty, found.isEmpty ? reasons.healthy : reasons.pressed,
                found.isEmpty ? healthy : found.joined(separator: "; "))
        }
        let notReady = messages(.notReady)
        var conditions = [
            pressure(
                .memoryPressure, reasons: ("KubeletHasSufficientMemory", "KubeletHasInsufficientMemory"),
                healthy: "kubelet has sufficient memory available"),
            pressure(
                .diskPressure, reasons: ("KubeletHasNoDiskPressure", "KubeletHasDiskPressure"),
                healthy: "kubelet has no disk pressure"),
            pressure(
                .pidPressure, reasons: ("KubeletHasSufficientPID", "KubeletHasInsufficientPID"),
                healthy: "kubelet has sufficient PID available"),
        ]
        if !shortfalls.isEmpty {
            conditions.append(
                condition(resourcesEnforced, false, "HostShortfall", shortfalls.joined(separator: "; ")))
        }
        conditions.append(
            condition(
                NodeConditionType.ready.rawValue, notReady.isEmpty,
                notReady.isEmpty ? "KubeletReady" : "KubeletNotReady",
                notReady.isEmpty ? "kubelet is posting ready status" : notReady.joined(separator: "; ")))
        return conditions
    }
}
