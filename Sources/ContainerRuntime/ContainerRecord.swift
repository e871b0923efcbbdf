import LinuxKernel
import MonitorCore

/// What is on disk about a container, beside what the monitor writes: enough to adopt it after the agent's death.
///
/// It lies on tmpfs (it holds environments, and so secrets) and is written before the monitor is spawned: a container without a
/// record never ran.
struct ContainerRecord: Hashable {
    static let wireVersion: UInt8 = 3
    /// What earlier agents of this boot may have left: it ends where the second version goes on.
    static let firstWireVersion: UInt8 = 1

    var id: String
    /// /proc/sys/kernel/random/boot_id: after a reboot nothing of the old boot runs.
    var bootID: String
    var createdAt: Int64
    var config: ContainerConfig

    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.write(Self.wireVersion)
        writer.write(id)
        writer.write(bootID)
        writer.write(createdAt)
        config.encode(into: &writer)
        config.encodeAdditions(into: &writer)
        return writer.bytes
    }

    init(id: String, bootID: String, createdAt: Int64, config: ContainerConfig) {
        self.id = id
        self.bootID = bootID
        self.createdAt = createdAt
        self.config = config
    }

    init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        let version = try reader.readByte()
        guard Self.firstWireVersion...Self.wireVersion ~= version else { throw WireError(.badVersion, offset: 0) }
        id = try reader.readString()
        bootID = try reader.readString()
        createdAt = try reader.readInt64()
        config = try ContainerConfig(from: &reader)
        if version >= 2 { try config.decodeSecondVersion(from: &reader) }
        if version >= 3 { try config.decodeAdditions(from: &reader) }
        try reader.finish()
    }
}

extension ContainerConfig {
    fileprivate func encode(into writer: inout WireWriter) {
        for text in [sandboxID, metadata.podUID, metadata.podNamespace, metadata.podName, metadata.name] {
            writer.write(text)
        }
        writer.write(metadata.attempt)
        for text in [image, imageID, workingDirectory, cgroupPath, logPath] { writer.write(text) }
        writer.write(rootLayers)
        writer.write(arguments)
        writer.write(environment)
        writer.write(userID)
        writer.write(groupID)
        writer.write(supplementaryGroups)
        writer.write(capabilities.mask)
        for flag in [privileged, noNewPrivileges, seccomp != .unconfined, readOnlyRoot] { writer.write(flag) }
        writer.write(outOfMemoryScore)
        writer.write(UInt32(resourceLimits.count))
        for limit in resourceLimits {
            writer.write(limit.resource)
            writer.write(limit.soft)
            writer.write(limit.hard)
        }
        writer.write(UInt32(mounts.count))
        for mount in mounts {
            writer.write(mount.hostPath)
            writer.write(mount.containerPath)
            writer.write(mount.isFile)
            writer.write(mount.readOnly)
            writer.write(mount.propagation.rawValue)
        }
        let sorted = labels.sorted { $0.key < $1.key }
        writer.write(sorted.map(\.key))
        writer.write(sorted.map(\.value))
        encodeSecondVersion(into: &writer)
    }

    private func encodeSecondVersion(into writer: inout WireWriter) {
        for mount in mounts { writer.write(mount.readOnlyBelow) }
        writer.write(isProcUnmasked)
        writer.write(isSandboxProcess)
    }

    fileprivate mutating func decodeSecondVersion(from reader: inout WireReader) throws(WireError) {
        for index in mounts.indices { mounts[index].readOnlyBelow = try reader.readBool() }
        isProcUnmasked = try reader.readBool()
        isSandboxProcess = try reader.readBool()
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let sandboxID = try reader.readString()
        let (podUID, podNamespace, podName) = (
            try reader.readString(), try reader.readString(), try reader.readString()
        )
        let metadata = ContainerMetadata(
            podUID: podUID, podNamespace: podNamespace, podName: podName, name: try reader.readString(),
            attempt: try reader.readUInt32())
        let (image, imageID, workingDirectory) = (
            try reader.readString(), try reader.readString(), try reader.readString()
        )
        let (cgroupPath, logPath) = (try reader.readString(), try reader.readString())
        self.init(
            sandboxID: sandboxID, metadata: metadata, image: image, imageID: imageID,
            rootLayers: try reader.readStrings(), arguments: try reader.readStrings(),
            environment: try reader.readStrings(), workingDirectory: workingDirectory,
            userID: try reader.readUInt32(), groupID: try reader.readUInt32(),
            supplementaryGroups: try reader.readUInt32s(),
            capabilities: CapabilitySet(mask: try reader.readUInt64()), privileged: try reader.readBool(),
            noNewPrivileges: try reader.readBool(), seccomp: try reader.readBool() ? .runtimeDefault : .unconfined,
            readOnlyRoot: try reader.readBool(), cgroupPath: cgroupPath, logPath: logPath)
        outOfMemoryScore = try reader.readInt32()
        for _ in 0..<(try reader.readCount()) {
            resourceLimits.append(
                ResourceLimit(
                    resource: try reader.readUInt32(), soft: try reader.readUInt64(), hard: try reader.readUInt64()))
        }
        for _ in 0..<(try reader.readCount()) {
            mounts.append(
                ContainerMount(
                    hostPath: try reader.readString(), containerPath: try reader.readString(),
                    isFile: try reader.readBool(), readOnly: try reader.readBool(),
                    propagation: ContainerMount.Propagation(rawValue: try reader.readByte()) ?? .none))
        }
        let (keys, values) = (try reader.readStrings(), try reader.readStrings())
        labels = Dictionary(zip(keys, values)) { first, _ in first }
    }
}

/// Fields that came after the second version of the record: each with a tag and a length, present only where it is not the
/// default, in any order.
extension ContainerConfig {
    /// Tags on the wire. A number is never reused; a new field takes the next one.
    private enum Addition: UInt8, CaseIterable {
        case localhostSeccomp = 1
        case appArmorProfile
        case streams
    }

    fileprivate func encodeAdditions(into writer: inout WireWriter) {
        let fields = Addition.allCases.map { addition in
            var field = WireWriter()
            switch addition {
            case .localhostSeccomp: if case .localhost(let name) = seccomp { field.write(name) }
            case .appArmorProfile: if let appArmorProfile { field.write(appArmorProfile) }
            case .streams:
                if hasAttachments {
                    for flag in [isTerminal, keepsInput, closesInputAfterFirst] { field.write(flag) }
                }
            }
            return (addition, field.bytes)
        }.filter { !$1.isEmpty }
        writer.write(UInt32(fields.count))
        for (addition, bytes) in fields {
            writer.write(addition.rawValue)
            writer.write(bytes)
        }
    }

    /// A tag of a later version is an error: what it asks for could not be kept to in an exec.
    fileprivate mutating func decodeAdditions(from reader: inout WireReader) throws(WireError) {
        for _ in 0..<(try reader.readCount()) {
            let offset = reader.offset
            guard let addition = Addition(rawValue: try reader.readByte()) else {
                throw WireError(.unknownTag, offset: offset)
            }
            var field = WireReader(try reader.readBytes())
            switch addition {
            case .localhostSeccomp: seccomp = .localhost(try field.readString())
            case .appArmorProfile: appArmorProfile = try field.readString()
            case .streams:
                isTerminal = try field.readBool()
                keepsInput = try field.readBool()
                closesInputAfterFirst = try field.readBool()
                hasAttachments = true
            }
            try field.finish()
        }
    }
}

extension WireWriter {
    mutating func write(_ text: String) { write(Array(text.utf8)) }

    mutating func write(_ texts: [String]) {
        write(UInt32(texts.count))
        for text in texts { write(text) }
    }
}

extension WireReader {
    mutating func readString() throws(WireError) -> String { String(decoding: try readBytes(), as: UTF8.self) }

    mutating func readStrings() throws(WireError) -> [String] {
        let count = try readCount()
        var texts: [String] = []
        for _ in 0..<count { texts.append(try readString()) }
        return texts
    }
}
