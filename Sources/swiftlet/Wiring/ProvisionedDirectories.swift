import Controllers
import LinuxKernel
import Volumes

/// Volumes that this process makes: directories below the node's root.
struct ProvisionedDirectories: ProvisionedStorage {
    private let volumes: ProvisionedVolumes

    init(root: String) { volumes = ProvisionedVolumes(claimsDirectory: root + "/volumes") }

    func path(of volumeName: String) -> String { volumes.path(of: volumeName) }

    func remove(_ volumeName: String) async throws {
        try await KernelThreadPool.shared.run { () throws(VolumeError) in try volumes.remove(volumeName) }
    }
}
