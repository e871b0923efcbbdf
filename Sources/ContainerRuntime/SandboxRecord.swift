import LinuxKernel
import MonitorCore

/// A sandbox on disk, in its own directory: what is needed to know it again after the agent's death.
struct SandboxRecord: Hashable {
    /// 2 added IPC and processes, 3 the range of ids, 4 labels.
    static let wireVersion: UInt8 = 4
    /// What earlier agents of this boot may have left: each ends where the next goes on.
    static let firstWireVersion: UInt8 = 1

    var bootID: String
    var sandbox: PodSandbox

    init(bootID: String, sandbox: PodSandbox) {
        self.bootID = bootID
        self.sandbox = sandbox
    }

    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.write(Self.wireVersion)
        for text in [
            bootID, sandbox.id, sandbox.podUID, sandbox.podNamespace, sandbox.podName, sandbox.hostname,
        ] { writer.write(text) }
        writer.write(sandbox.attempt)
        writer.write(sandbox.hostNetwork)
        writer.write(sandbox.createdAt)
        let sysctls = sandbox.sysctls.sorted { $0.key < $1.key }
        writer.write(sysctls.map(\.key))
        writer.write(sysctls.map(\.value))
        writer.write(sandbox.hostIPC)
        writer.write(sandbox.processNamespace.rawValue)
        writer.write(sandbox.ids?.first ?? 0)
        writer.write(sandbox.ids?.count ?? 0)
        let labels = sandbox.labels.sorted { $0.key < $1.key }
        writer.write(labels.map(\.key))
        writer.write(labels.map(\.value))
        return writer.bytes
    }

    init(decoding bytes: [UInt8], directory: String) throws(WireError) {
        var reader = WireReader(bytes)
        let version = try reader.readByte()
        guard Self.firstWireVersion...Self.wireVersion ~= version else { throw WireError(.badVersion, offset: 0) }
        bootID = try reader.readString()
        let (id, podUID) = (try reader.readString(), try reader.readString())
        let (podNamespace, podName) = (try reader.readString(), try reader.readString())
        let hostname = try reader.readString()
        let (attempt, hostNetwork) = (try reader.readUInt32(), try reader.readBool())
        let createdAt = try reader.readInt64()
        let (keys, values) = (try reader.readStrings(), try reader.readStrings())
        let hostIPC = version >= 2 ? try reader.readBool() : false
        let processNamespace = version >= 2 ? ProcessNamespace(rawValue: try reader.readByte()) : .container
        guard let processNamespace else { throw WireError(.unknownTag, offset: reader.offset) }
        var ids: IDRange?
        if version >= 3 { ids = IDRange(first: try reader.readUInt32(), count: try reader.readUInt32()) }
        let (names, texts) = version >= 4 ? (try reader.readStrings(), try reader.readStrings()) : ([], [])
        sandbox = PodSandbox(
            id: id, podUID: podUID, podNamespace: podNamespace, podName: podName, attempt: attempt,
            hostname: hostname, hostNetwork: hostNetwork, hostIPC: hostIPC, processNamespace: processNamespace,
            sysctls: Dictionary(zip(keys, values)) { first, _ in first }, ids: ids,
            labels: Dictionary(zip(names, texts)) { first, _ in first }, createdAt: createdAt, directory: directory)
        try reader.finish()
    }
}
