import CLinux
import Glibc
public import KubernetesAPI
import LinuxKernel
import SystemPackage

/// A directory that another machine exports (NFS).
public struct NetworkExport: Hashable, Sendable {
    public var server: String
    public var path: String
    public var readOnly: Bool
    public var mountOptions: [String]

    public init(server: String, path: String, readOnly: Bool = false, mountOptions: [String] = []) {
        self.server = server
        self.path = path
        self.readOnly = readOnly
        self.mountOptions = mountOptions
    }

    /// From `spec.nfs` of a persistent volume; nil when it names no server or no path.
    public init?(_ volume: PersistentVolume) {
        guard let source = volume.spec.nfs?.objectValue, case .string(let server)? = source["server"],
            case .string(let path)? = source["path"], !server.isEmpty, path.utf8.first == UInt8(ascii: "/")
        else { return nil }
        self.init(
            server: server, path: path, readOnly: source["readOnly"] == .bool(true),
            mountOptions: volume.spec.mountOptions ?? [])
    }

    /// Where Debian's nfs-common, and others, have the program.
    static let programs = ["/usr/sbin/mount.nfs", "/sbin/mount.nfs"]
    /// A server that does not answer is given up after this, and asked again with the pod's next try.
    static let timeout = Duration.seconds(30)

    /// What mount.nfs(8) is told. Pure.
    ///
    /// - Throws: for what it would take for one of its own options, or for two.
    func arguments(target: String) throws(VolumeError) -> [String] {
        for (field, value) in [("server", server), ("path", path)] + mountOptions.map({ ("mountOptions", $0) }) {
            let isClean =
                value.utf8.first != UInt8(ascii: "-")
                && !value.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == 0x20 && field != "path" }
            guard isClean, !value.isEmpty, field == "path" || !value.utf8.contains(UInt8(ascii: ",")) else {
                throw VolumeError(.invalid, "nfs.\(field) \(JSONValue.string(value)) is no name that mount.nfs takes")
            }
        }
        let host = server.utf8.contains(UInt8(ascii: ":")) && !server.hasPrefix("[") ? "[\(server)]" : server
        let options = mountOptions + (readOnly ? ["ro"] : [])
        return ["\(host):\(path)", target] + (options.isEmpty ? [] : ["-o", options.joined(separator: ",")])
    }

    /// Mounts it at `target`, which is made, unless something is mounted there already. In a process of its own: a server that does
    /// not answer holds up nothing else. Cancelled, it gives up at once.
    func mount(at target: String, pool: KernelThreadPool) async throws(VolumeError) {
        let arguments = try arguments(target: target)
        let program = try await pool.run { () throws(VolumeError) -> String? in
            try volumeCall { () throws(KernelError) in
                // Before anything looks at the target: what is mounted there may hang.
                if try Mount.isMountPoint(target) { return nil }
                try FileSystem.makeDirectories(target, mode: 0o750)
                guard let program = Self.programs.first(where: FileSystem.exists) else {
                    throw KernelError(
                        "find mount.nfs (install nfs-common) in", "/usr/sbin", errno: .noSuchFileOrDirectory)
                }
                return program
            }
        }
        guard let program else { return }
        let outcome: HelperProcess.Outcome
        do throws(KernelError) {
            outcome = try await HelperProcess.run(program, arguments, timeout: Self.timeout)
        } catch { throw VolumeError(error) }
        if outcome.isSuccess { return }
        let said = outcome.output.split(separator: "\n").joined(separator: "; ")
        throw VolumeError(
            .sourceUnavailable,
            outcome.exit == nil
                ? "\(server):\(path) did not answer within \(Self.timeout)"
                : "mount of \(server):\(path) failed: \(said)")
    }
}
