import KubernetesAPI
import LinuxKernel

/// What is on disk about a volume before a driver is asked to publish it, so that whatever ends the agent, the volume is taken back.
///
/// It lies beside the volume's directory, where no container sees it.
struct DriverRecord: Codable, Hashable, Sendable {
    private static let suffix = ".driver"

    var driver: String
    /// The driver's socket when it was asked.
    var endpoint: String
    var handle: String
    var target: String
    /// Where the volume is staged for all its pods; nil for a driver that does not stage.
    var staging: String?
    /// The volume was attached to this node first: whoever did waits with detaching it while it is in use. Nil in records of earlier
    /// versions.
    var isAttached: Bool?

    /// How the volume is called in the Node's status.
    var uniqueName: String { "kubernetes.io/csi/\(driver)^\(handle)" }

    /// As in the pod's `spec.volumes`: the target is `mount` in the volume's own directory.
    var volumeName: String { target.splitAtLastSlash.parent.splitAtLastSlash.name }

    /// - Parameter directory: the volume's own, below the pod's.
    static func path(of directory: String) -> String {
        let (parent, name) = directory.splitAtLastSlash
        return "\(parent)/.\(name)\(suffix)"
    }

    func write(of directory: String) throws(VolumeError) {
        let bytes: [UInt8]
        do { bytes = try JSONValueEncoder().serialize(self) } catch { throw VolumeError(.invalid, "\(error)") }
        try volumeCall { () throws(KernelError) in
            try FileSystem.makeDirectories(directory.splitAtLastSlash.parent, mode: 0o750)
            try FileSystem.writeAtomically(Self.path(of: directory), bytes)
        }
    }

    /// Those of one pod, with their files. One that cannot be read is an error: its volume is not to be forgotten.
    static func all(in layout: PodVolumeLayout) throws(VolumeError) -> [(file: String, record: DriverRecord)] {
        var found: [(String, DriverRecord)] = []
        for type in [DriverPlugin.directoryName, ClaimPlugin.directoryName] {
            let directory = "\(layout.volumesDirectory)/\(type)"
            let names = try volumeCall { () throws(KernelError) in
                FileSystem.exists(directory) ? try FileSystem.list(directory) : []
            }
            for name in names.sorted() where name.hasPrefix(".") && name.hasSuffix(suffix) {
                let file = "\(directory)/\(name)"
                let text = try volumeCall { () throws(KernelError) in try FileSystem.readText(file, limit: 64 << 10) }
                do {
                    found.append(
                        (file, try JSONValueDecoder().decode(DriverRecord.self, from: try JSONValue(parsing: text))))
                } catch { throw VolumeError(.invalid, "\(file): \(error)") }
            }
        }
        return found
    }
}
