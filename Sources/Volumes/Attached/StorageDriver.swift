/// A storage driver of this node, spoken to as the Container Storage Interface 1 says (`csi.v1.Node`).
struct StorageDriver: Hashable, Sendable {
    /// What a driver can do beside publishing (`NodeServiceCapability.RPC.Type`).
    enum Capability: UInt64, Sendable {
        case stageUnstageVolume = 1
        case singleNodeMultiWriter = 5
        case volumeMountGroup = 6
    }

    /// As long as a kubelet waits.
    static let timeout = Duration.seconds(120)

    let name: String
    /// Its socket.
    let endpoint: String
    var capabilities: Set<Capability> = []

    private func ask(
        _ method: String, _ request: ProtobufMessage, of volume: String
    ) async throws(VolumeError) -> ProtobufFields {
        do throws(StorageCall.Failure) {
            return try await StorageCall(socketPath: endpoint).ask(
                "/csi.v1.Node/\(method)", request, timeout: Self.timeout)
        } catch {
            throw VolumeError(.driver, "driver \(name): \(method) of volume \"\(volume)\": \(error)")
        }
    }

    /// Which of ``Capability`` it has.
    static func capabilities(_ call: StorageCall, timeout: Duration) async throws(StorageCall.Failure) -> Set<
        Capability
    > {
        let answer = try await call.ask("/csi.v1.Node/NodeGetCapabilities", timeout: timeout)
        return Set(
            answer.messages(1).flatMap { $0.messages(1) }.compactMap { Capability(rawValue: $0.number(1)) })
    }

    func stage(
        _ volume: DriverVolume, at staging: String, group: UInt32?, context: [String: String], secrets: [String: String]
    ) async throws(VolumeError) {
        var request = ProtobufMessage()
        request.add(1, volume.handle)
        request.add(2, context)
        request.add(3, staging)
        request.add(4, capability(volume, group: group))
        request.add(5, secrets)
        request.add(6, volume.attributes)
        _ = try await ask("NodeStageVolume", request, of: volume.handle)
    }

    func publish(
        _ volume: DriverVolume, at target: String, staging: String?, group: UInt32?, readOnly: Bool,
        context: [String: String], secrets: [String: String], podFacts: [String: String]
    ) async throws(VolumeError) {
        var request = ProtobufMessage()
        request.add(1, volume.handle)
        request.add(2, context)
        request.add(3, staging ?? "")
        request.add(4, target)
        request.add(5, capability(volume, group: group))
        request.add(6, readOnly)
        request.add(7, secrets)
        request.add(8, volume.attributes.merging(podFacts) { $1 })
        _ = try await ask("NodePublishVolume", request, of: volume.handle)
    }

    func unpublish(_ handle: String, at target: String) async throws(VolumeError) {
        var request = ProtobufMessage()
        request.add(1, handle)
        request.add(2, target)
        _ = try await ask("NodeUnpublishVolume", request, of: handle)
    }

    func unstage(_ handle: String, at staging: String) async throws(VolumeError) {
        var request = ProtobufMessage()
        request.add(1, handle)
        request.add(2, staging)
        _ = try await ask("NodeUnstageVolume", request, of: handle)
    }

    /// `VolumeCapability`: how the volume is used, and by whom.
    func capability(_ volume: DriverVolume, group: UInt32?) -> ProtobufMessage {
        var message = ProtobufMessage()
        if volume.isBlock {
            message.add(1, ProtobufMessage())
        } else {
            var mount = ProtobufMessage()
            mount.add(1, volume.fileSystem)
            for option in volume.mountOptions { mount.add(2, option) }
            if capabilities.contains(.volumeMountGroup), let group { mount.add(3, "\(group)") }
            message.add(2, mount)
        }
        var access = ProtobufMessage()
        access.add(1, accessMode(volume.accessModes.first ?? ""))
        message.add(3, access)
        return message
    }

    /// `VolumeCapability.AccessMode.Mode`.
    private func accessMode(_ mode: String) -> UInt64 {
        let tellsWriters = capabilities.contains(.singleNodeMultiWriter)
        switch mode {
        case "ReadOnlyMany": return 3
        case "ReadWriteMany": return 5
        case "ReadWriteOncePod": return tellsWriters ? 6 : 1
        default: return tellsWriters ? 7 : 1
        }
    }
}
