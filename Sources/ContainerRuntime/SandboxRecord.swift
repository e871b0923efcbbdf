import MonitorCore

/// A sandbox on disk, in its own directory: what is needed to know it again after the agent's death.
struct SandboxRecord: Hashable {
    static let wireVersion: UInt8 = 1

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
        return writer.bytes
    }

    init(decoding bytes: [UInt8], directory: String) throws(WireError) {
        var reader = WireReader(bytes)
        guard try reader.readByte() == Self.wireVersion else { throw WireError(.badVersion, offset: 0) }
        bootID = try reader.readString()
        let (id, podUID) = (try reader.readString(), try reader.readString())
        let (podNamespace, podName) = (try reader.readString(), try reader.readString())
        let hostname = try reader.readString()
        let (attempt, hostNetwork) = (try reader.readUInt32(), try reader.readBool())
        let createdAt = try reader.readInt64()
        let (keys, values) = (try reader.readStrings(), try reader.readStrings())
        sandbox = PodSandbox(
            id: id, podUID: podUID, podNamespace: podNamespace, podName: podName, attempt: attempt,
            hostname: hostname, hostNetwork: hostNetwork,
            sysctls: Dictionary(zip(keys, values)) { first, _ in first }, createdAt: createdAt, directory: directory)
        try reader.finish()
    }
}
