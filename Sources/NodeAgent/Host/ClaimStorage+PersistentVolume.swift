import KubernetesAPI
import Volumes

extension ClaimStorage {
    /// Where a volume that somebody has described is. Pure.
    init(_ volume: PersistentVolume) {
        let name = "persistentvolume \"\(volume.metadata.name ?? "")\""
        let isBlock = volume.spec.volumeMode == "Block"
        let field = "\(name): spec."
        if let local = volume.spec.local {
            self =
                isBlock
                ? .device(local.path, field: field + "local") : .local(local.path, field: field + "local")
        } else if let driven = DriverVolume(volume) {
            self = .driver(driven)
        } else if isBlock {
            self = .unbound(
                "\(name) has volumeMode Block, which this node has for local volumes, not for "
                    + "\(volume.spec.sourceNames.first ?? "none")")
        } else if let hostPath = volume.spec.hostPath {
            self = .hostPath(hostPath, field: field + "hostPath")
        } else if let export = NetworkExport(volume) {
            self = .network(export)
        } else {
            let type = volume.spec.sourceNames.first ?? "none"
            self = .unbound("\(name) is of type \(type), this node has hostPath, local, nfs and csi")
        }
    }
}
