import ContainerImages
import KubernetesAPI
import MonitorCore
import NodeAgent
import NodeServer
import PodNetwork

/// The settings in force under the names of a KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`), as `/configz` shows them. What
/// Swiftlet has no setting for is not in it.
enum KubeletConfigurationDocument {
    static func build(_ settings: NodeSettings, isAlone: Bool) -> JSONValue {
        let parts = [
            server(settings, isAlone: isAlone), resources(settings), eviction(settings.protection.eviction),
            images(settings), node(settings),
        ]
        return .object(parts.reduce(into: [:]) { $0.merge($1) { first, _ in first } })
    }

    private static func server(_ settings: NodeSettings, isAlone: Bool) -> [String: JSONValue] {
        var x509: [String: JSONValue] = [:]
        if let file = settings.api.clientCAFile { x509["clientCAFile"] = .string(file) }
        if isAlone { x509["clientCAFile"] = .string(settings.root + "/pki/ca.crt") }
        var fields: [String: JSONValue] = [
            "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", "enableServer": true,
            "address": .string(isAlone ? settings.api.addressBesideEndpoint : settings.api.addressAlone),
            "port": .integer(Int64(settings.nodePort)), "readOnlyPort": 0, "tlsMinVersion": "VersionTLS12",
            "authentication": [
                "x509": .object(x509), "webhook": ["enabled": true, "cacheTTL": "2m0s"],
                "anonymous": ["enabled": false],
            ],
            "authorization": [
                "mode": "Webhook",
                "webhook": ["cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"],
            ],
            "enableDebuggingHandlers": true, "enableSystemLogHandler": true, "enableSystemLogQuery": false,
            "streamingConnectionIdleTimeout": "4h0m0s",
        ]
        if let file = settings.api.certificateFile { fields["tlsCertFile"] = .string(file) }
        if !isAlone { fields["serverTLSBootstrap"] = .bool(settings.api.asksForServing) }
        if let file = settings.api.keyFile { fields["tlsPrivateKeyFile"] = .string(file) }
        return fields
    }

    private static func node(_ settings: NodeSettings) -> [String: JSONValue] {
        [
            // A URL and its headers may hold passwords: that there is one is in the static pods themselves.
            "staticPodPath": .string(settings.manifests), "podLogsDir": .string(settings.logDirectory + "/pods"),
            "registerNode": true, "maxPods": .integer(Int64(settings.maxPods)),
            "podCIDR": .string(settings.podCIDRs.map(\.description).joined(separator: ",")),
            "allowedUnsafeSysctls": .array(settings.allowedUnsafeSysctls.map { .string($0) }),
            "userNamespaces": ["idsPerPod": .integer(Int64(settings.idsPerPod))],
            "containerLogMaxSize": .string(
                settings.protection.logLimit.map { Quantity.bytes(Int64(clamping: $0.maximumBytes)).description }
                    ?? "-1"),
            "containerLogMaxFiles": .integer(Int64(settings.protection.logLimit?.maximumFiles ?? 5)),
        ]
    }

    private static func resources(_ settings: NodeSettings) -> [String: JSONValue] {
        let (policy, reservation) = (settings.resources.policy, settings.resources.reservation)
        func amounts(_ list: [String: Quantity]) -> JSONValue { .object(list.mapValues { .string($0.description) }) }
        var fields: [String: JSONValue] = [
            "cgroupRoot": .string(settings.cgroupRoot), "cgroupsPerQOS": true, "cgroupDriver": "cgroupfs",
            "podPidsLimit": .integer(policy.podPidsLimit ?? -1), "cpuCFSQuota": .bool(policy.enforcesCPULimits),
            "singleProcessOOMKill": .bool(!policy.killsWholeContainer),
            "memorySwap": ["swapBehavior": .string(policy.swap.rawValue)],
            "cpuManagerPolicy": .string(policy.pinsProcessors ? "static" : "none"),
            "systemReserved": amounts(reservation.system), "kubeReserved": amounts(reservation.agent),
            "enforceNodeAllocatable": .array([settings.resources.enforcesAllocatable ? "pods" : "none"]),
        ]
        if let quality = policy.memoryQuality {
            fields["memoryThrottlingFactor"] = .double(quality.throttlingFactor)
            fields["memoryReservationPolicy"] = .string(quality.reservesMemory ? "TieredReservation" : "None")
        }
        if !policy.reservedProcessors.isEmpty {
            fields["reservedSystemCPUs"] = .string(policy.reservedProcessors.description)
        }
        return fields
    }

    private static func eviction(_ configuration: EvictionConfiguration) -> [String: JSONValue] {
        func text(_ value: EvictionThreshold.Value) -> JSONValue {
            switch value {
            case .quantity(let quantity): .string(quantity.description)
            case .share(let share): .string("\(Int((share * 100).rounded()))%")
            }
        }
        var (hard, soft): ([String: JSONValue], [String: JSONValue]) = ([:], [:])
        var (periods, reclaims): ([String: JSONValue], [String: JSONValue]) = ([:], [:])
        for threshold in configuration.thresholds {
            let name = threshold.signal.rawValue
            if threshold.gracePeriod == .zero {
                hard[name] = text(threshold.value)
            } else {
                soft[name] = text(threshold.value)
                periods[name] = .string(threshold.gracePeriod.kubernetesText)
            }
            if let reclaim = threshold.minimumReclaim { reclaims[name] = text(reclaim) }
        }
        return [
            "evictionHard": .object(hard), "evictionSoft": .object(soft),
            "evictionSoftGracePeriod": .object(periods), "evictionMinimumReclaim": .object(reclaims),
            "evictionPressureTransitionPeriod": .string(configuration.pressureTransitionPeriod.kubernetesText),
            "evictionMaxPodGracePeriod": .integer(configuration.maximumPodGracePeriodSeconds),
        ]
    }

    private static func images(_ settings: NodeSettings) -> [String: JSONValue] {
        let images = settings.protection.images
        return [
            "imageMinimumGCAge": .string(images.minimumAge.kubernetesText),
            "imageMaximumGCAge": .string(images.maximumAge.kubernetesText),
            "imageGCHighThresholdPercent": .integer(Int64(images.highThresholdPercent)),
            "imageGCLowThresholdPercent": .integer(Int64(images.lowThresholdPercent)),
        ]
    }
}
