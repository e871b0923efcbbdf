import LinuxKernel

/// A storage driver of this node, spoken to as the Container Storage Interface 1 says (`csi.v1.Node`).
struct StorageDriver: Hashable, Sendable {
    /// What a driver can do beside publishing (`NodeServiceCapability.RPC.Type`).
    enum Capability: UInt64, Sendable {
        case stageUnstageVolume = 1
        case getVolumeStats = 2
        case expandVolume = 3
        case singleNodeMultiWriter = 5
        case volumeMountGroup = 6
    }

    /// As long as a kubelet waits.
    static let timeout = Duration.seconds(120)
    /// Others wait to be measured meanwhile.
    private static let statisticsTimeout = Duration.seconds(10)

    let name: String
    /// Its socket.
    let endpoint: String
    var capabilities: Set<Capability> = []

    private func ask(
        _ method: String, _ request: ProtobufMessage, of volume: String, timeout: Duration = StorageDriver.timeout
    ) async throws(VolumeError) -> ProtobufFields {
        do throws(StorageCall.Failure) {
            return try await StorageCall(socketPath: endpoint).ask(
                "/csi.v1.Node/\(method)", request, timeout: timeout)
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

    /// - Parameter size: in bytes.
    func expand(
        _ volume: DriverVolume, at target: String, staging: String?, to size: Int64, group: UInt32?,
        secrets: [String: String]
    ) async throws(VolumeError) {
        var range = ProtobufMessage()
        range.add(1, UInt64(clamping: size))
        var request = ProtobufMessage()
        request.add(1, volume.handle)
        request.add(2, target)
        request.add(3, range)
        request.add(4, staging ?? "")
        request.add(5, capability(volume, group: group))
        request.add(6, secrets)
        do throws(VolumeError) { _ = try await ask("NodeExpandVolume", request, of: volume.handle) } catch {
            throw VolumeError(.expansion, error.message)
        }
    }

    /// What there is in a volume, and room for; nil when the driver does not tell the bytes.
    func statistics(
        of handle: String, at target: String, staging: String?
    ) async throws(VolumeError) -> FileSystemUsage? {
        var request = ProtobufMessage()
        request.add(1, handle)
        request.add(2, target)
        request.add(3, staging ?? "")
        return FileSystemUsage(
            volumeStats: try await ask(
                "NodeGetVolumeStats", request, of: handle, timeout: Self.statisticsTimeout))
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

extension FileSystemUsage {
    /// From the answer to `NodeGetVolumeStats`; nil when it does not tell the bytes.
    init?(volumeStats answer: ProtobufFields) {
        // VolumeUsage: available, total, used, all int64, and their unit: bytes or inodes.
        func amounts(_ unit: UInt64) -> (available: UInt64, total: UInt64, used: UInt64)? {
            guard let usage = answer.messages(1).last(where: { $0.number(4) == unit }) else { return nil }
            func amount(_ field: UInt64) -> UInt64 { UInt64(clamping: Int64(bitPattern: usage.number(field))) }
            return (amount(1), amount(2), amount(3))
        }
        guard let bytes = amounts(1) else { return nil }
        let inodes = amounts(2)
        self.init(
            capacityBytes: bytes.total, availableBytes: bytes.available, usedBytes: bytes.used,
            inodes: inodes?.total ?? 0, freeInodes: inodes?.available ?? 0)
    }
}
