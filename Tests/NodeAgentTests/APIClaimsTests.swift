import KubernetesAPI
import Testing
import Volumes

@testable import NodeAgent

@Suite struct APIClaimsTests {
    private let node = Node(metadata: ObjectMeta(name: "n1", labels: ["kubernetes.io/hostname": "n1"]))
    private let claim = PersistentVolumeClaim(
        metadata: ObjectMeta(name: "data", namespace: "ns", uid: "c"),
        spec: PersistentVolumeClaimSpec(volumeName: "disk"))

    private func volume(_ change: (inout PersistentVolume) -> Void = { _ in }) -> PersistentVolume {
        var volume = PersistentVolume(
            metadata: ObjectMeta(name: "disk"),
            spec: PersistentVolumeSpec(
                claimRef: ObjectReference(namespace: "ns", name: "data", uid: "c"),
                hostPath: HostPathVolumeSource(path: "/srv", type: "DirectoryOrCreate")))
        change(&volume)
        return volume
    }

    private func storage(_ volume: PersistentVolume?) -> ClaimStorage {
        APIClaims.storage(
            of: claim, in: volume, on: node, provisioned: ProvisionedVolumes(claimsDirectory: "/v"))
    }

    private func isUnbound(_ storage: ClaimStorage, saying text: String) -> Bool {
        guard case .unbound(let reason) = storage else { return false }
        return reason.contains(text)
    }

    @Test("a hostPath volume is where it says; a local one must be there already; one made here is the node's own")
    func places() {
        #expect(
            storage(volume())
                == .hostPath(
                    HostPathVolumeSource(path: "/srv", type: "DirectoryOrCreate"),
                    field: "persistentvolume \"disk\": spec.hostPath"))
        let local = volume {
            $0.spec.hostPath = nil
            $0.spec.local = LocalVolumeSource(path: "/mnt/disk")
        }
        #expect(storage(local) == .local("/mnt/disk", field: "persistentvolume \"disk\": spec.local"))
        let own = volume {
            $0.spec.hostPath = nil
            $0.spec.local = LocalVolumeSource(path: "/v/.provisioned/disk")
            $0.metadata.annotations = ["pv.kubernetes.io/provisioned-by": "swiftlet.dev/local"]
        }
        #expect(storage(own) == .provisioned("disk"))
    }

    @Test("a local volume of mode Block is a device; of another type there is none")
    func block() {
        let disk = volume {
            $0.spec.hostPath = nil
            $0.spec.local = LocalVolumeSource(path: "/dev/vdb")
            $0.spec.volumeMode = "Block"
        }
        #expect(storage(disk) == .device("/dev/vdb", field: "persistentvolume \"disk\": spec.local"))
        #expect(isUnbound(storage(volume { $0.spec.volumeMode = "Block" }), saying: "not for hostPath"))
    }

    @Test("a volume that is gone, another claim's, elsewhere or of a kind this node has not keeps the pod waiting")
    func unbound() {
        #expect(isUnbound(storage(nil), saying: "persistentvolume \"disk\" not found"))
        #expect(isUnbound(storage(volume { $0.spec.claimRef?.uid = "other" }), saying: "bound to another claim"))
        #expect(isUnbound(storage(volume { $0.spec.claimRef = nil }), saying: "bound to another claim"))
        let isThere: JSONValue = ["key": "kubernetes.io/hostname", "operator": "In", "values": ["n2"]]
        let elsewhere = volume {
            $0.spec.nodeAffinity = ["required": ["nodeSelectorTerms": [["matchExpressions": [isThere]]]]]
        }
        #expect(isUnbound(storage(elsewhere), saying: "not on this node"))
        let garbled = volume { $0.spec.nodeAffinity = ["required": "everywhere"] }
        #expect(isUnbound(storage(garbled), saying: "not on this node"))
        let network = volume {
            $0.spec.hostPath = nil
            $0.spec.iscsi = [:]
        }
        #expect(isUnbound(storage(network), saying: "iscsi"))
    }

    @Test("a driver's volume that is larger than its claim says has grown; then only that changes in the claim")
    func growth() {
        var claim = claim
        claim.metadata.resourceVersion = "7"
        claim.status = [
            "phase": "Bound", "capacity": ["storage": "1Gi"],
            "conditions": [["type": "FileSystemResizePending"], ["type": "Own"]],
        ]
        func growth(_ volume: PersistentVolume) -> DriverVolume.Growth? {
            let storage = APIClaims.storage(
                of: claim, in: volume, on: node, provisioned: ProvisionedVolumes(claimsDirectory: "/v"))
            guard case .driver(let driven) = storage else { return nil }
            return driven.growth
        }
        func disk(_ size: String) -> PersistentVolume {
            volume {
                $0.spec.hostPath = nil
                $0.spec.csi = ["driver": "d.example.org", "volumeHandle": "h"]
                $0.spec.capacity = (try? Quantity(parsing: size)).map { ["storage": $0] }
            }
        }
        #expect(growth(disk("2Gi")) == DriverVolume.Growth(namespace: "ns", claim: "data", size: .bytes(2 << 30)))
        #expect(growth(disk("1Gi")) == nil)
        #expect(
            APIClaims.expansionPatch(of: claim, to: .bytes(2 << 30)) == [
                "metadata": ["resourceVersion": "7", "uid": "c"],
                "status": [
                    "capacity": ["storage": "2Gi"], "conditions": [["type": "Own"]],
                    "allocatedResourceStatuses": ["storage": .null],
                ],
            ])
    }
}
