import KubernetesAPI

/// What the `CSIDriver` of a storage driver says of its volumes, read as a kubelet reads it. Pure.
///
/// Without one, as Kubernetes has it: volumes may have to be attached first, live apart from pods, and the driver hears of no pod.
struct DriverRules: Hashable, Sendable {
    private let name: String
    /// Nil when the driver has no `CSIDriver`.
    private let modes: [String]?
    let isAttached: Bool
    /// The driver hears which pod a volume is for.
    let tellsPod: Bool
    private let groupPolicy: String
    let tokenRequests: [CSITokenRequest]
    /// Tokens go where drivers are less likely to log them.
    let hidesTokens: Bool
    /// A volume that is published is published again, at the latest when the pod is looked at next.
    let republishes: Bool

    init(_ name: String, _ driver: CSIDriver?) {
        self.name = name
        let spec = driver?.spec
        modes = driver.map { $0.spec.volumeLifecycleModes ?? ["Persistent"] }
        isAttached = spec?.attachRequired ?? true
        tellsPod = spec?.podInfoOnMount ?? false
        groupPolicy = spec?.fsGroupPolicy ?? "ReadWriteOnceWithFSType"
        tokenRequests = spec?.tokenRequests ?? []
        hidesTokens = spec?.serviceAccountTokenInSecrets ?? false
        republishes = spec?.requiresRepublish ?? false
    }

    /// Throws for a volume of a kind that the driver is not for. Whoever may create pods brings inline volumes along: that a driver
    /// takes them is to be said by who may create a `CSIDriver`.
    func check(_ volume: DriverVolume) throws(VolumeError) {
        let mode = volume.isEphemeral ? "Ephemeral" : "Persistent"
        guard let modes else {
            if !volume.isEphemeral { return }
            throw VolumeError(
                .unsupported, "volume mode \"\(mode)\" not supported by driver \(name) (no CSIDriver object)")
        }
        if modes.contains(mode) { return }
        let known = modes.map { "\"\($0)\"" }.joined(separator: " ")
        throw VolumeError(
            .unsupported, "volume mode \"\(mode)\" not supported by driver \(name) (only supports [\(known)])")
    }

    /// Whether the node gives the volume's files to the pod's group.
    ///
    /// - Parameter driverDoes: the driver has been told the group, and does it itself (`VOLUME_MOUNT_GROUP`).
    func givesToGroup(_ volume: DriverVolume, driverDoes: Bool) -> Bool {
        if driverDoes || volume.isBlock { return false }
        switch groupPolicy {
        case "None": return false
        case "File": return true
        default:
            let isOneNodes = volume.accessModes.contains { $0 == "ReadWriteOnce" || $0 == "ReadWriteOncePod" }
            return !volume.fileSystem.isEmpty && isOneNodes
        }
    }

    /// What the driver's other half said when it attached the volume to this node (`publish_context`).
    ///
    /// - Parameters:
    ///   - attachment: of this volume to this node; nil when there is none.
    ///   - isAwaited: somebody makes attachments: a volume without one is not ready. Where nobody does, as on an endpoint of one's own,
    ///     the driver is asked without, and says itself if it cannot do so.
    /// - Returns: nil when it is not attached, and need not be.
    func publishContext(
        of volume: DriverVolume, attachment: KubernetesAPI.VolumeAttachment?, name attachmentName: String,
        isAwaited: Bool
    ) throws(VolumeError) -> [String: String]? {
        guard let attachment else {
            if !isAwaited { return nil }
            throw VolumeError(
                .notFound,
                "volume \"\(volume.handle)\" is not attached to this node: volumeattachment \"\(attachmentName)\" not "
                    + "found; if driver \(name) needs none, its CSIDriver must say attachRequired: false")
        }
        if attachment.status?.attached == true { return attachment.status?.attachmentMetadata ?? [:] }
        let problem = attachment.status?.attachError?.message.map { ": \($0)" } ?? ""
        throw VolumeError(
            .sourceUnavailable,
            "volume \"\(volume.handle)\" is not attached to this node yet (volumeattachment \"\(attachmentName)\")"
                + problem)
    }

    /// Where a driver finds the tokens it wants.
    static let tokensKey = "csi.storage.k8s.io/serviceAccount.tokens"

    /// The value under ``tokensKey``: by audience.
    static func tokensText(_ tokens: [String: (token: String, expiresAt: Timestamp)]) -> String {
        let entries = tokens.mapValues { entry -> JSONValue in
            ["token": .string(entry.token), "expirationTimestamp": .string(entry.expiresAt.rfc3339)]
        }
        return "\(JSONValue.object(entries))"
    }

    /// What a driver hears of the pod.
    static func podFacts(_ pod: Pod, isEphemeral: Bool) -> [String: String] {
        let prefix = "csi.storage.k8s.io/"
        return [
            prefix + "pod.name": pod.metadata.name ?? "", prefix + "pod.namespace": pod.metadata.namespace ?? "",
            prefix + "pod.uid": pod.metadata.uid ?? "",
            prefix + "serviceAccount.name": pod.spec.serviceAccountName ?? "default",
            prefix + "ephemeral": isEphemeral ? "true" : "false",
        ]
    }
}
