import KubernetesAPI
import KubernetesClient
import Testing

@testable import Controllers

@Suite("Volume use")
struct VolumeUseTests {
    private typealias Decisions = VolumeBindingDecisionTests

    private let node = SchedulingDecisionTests.node(labels: ["kubernetes.io/hostname": "n1"])
    private let pod = Self.user("web")

    private static func user(_ name: String, on node: String? = nil, claim: String = "data") -> Pod {
        SchedulingDecisionTests.pod(name, on: node) {
            $0.volumes = [Volume(name: "v", persistentVolumeClaim: PersistentVolumeClaimVolumeSource(claimName: claim))]
        }
    }

    private func verdict(
        _ claims: [PersistentVolumeClaim], volumes: [PersistentVolume] = [], classes: [StorageClass] = [],
        pods: [Pod] = []
    ) -> VolumeUse.Verdict {
        VolumeUse.verdict(
            on: pod, nodes: [node],
            claims: Dictionary(uniqueKeysWithValues: claims.map { (ObjectKey($0.metadata), $0) }),
            volumes: Dictionary(uniqueKeysWithValues: volumes.map { (ObjectKey($0.metadata), $0) }),
            classes: Dictionary(uniqueKeysWithValues: classes.map { (ObjectKey($0.metadata), $0) }),
            pods: pods + [pod])
    }

    @Test("a pod waits for its claim, its volume and the end of one that is being deleted, and says which")
    func waits() {
        #expect(verdict([]) == .nowhere("persistentvolumeclaim \"data\" not found"))
        let going = Decisions.claim { $0.metadata.deletionTimestamp = Timestamp(seconds: 1) }
        #expect(verdict([going]) == .nowhere("persistentvolumeclaim \"data\" is being deleted"))
        #expect(
            verdict([Decisions.claim()], classes: [Decisions.storageClass()])
                == .nowhere("pod has unbound immediate PersistentVolumeClaims"))
    }

    @Test("a claim that waits for its consumer waits for the choice of a node")
    func selects() {
        #expect(
            verdict([Decisions.claim()], classes: [Decisions.storageClass(waits: true)])
                == .nodes([node], toSelect: [Decisions.claim()]))
    }

    private func bound(_ change: (inout PersistentVolumeClaim) -> Void = { _ in }) -> PersistentVolumeClaim {
        Decisions.claim {
            $0.spec.volumeName = "disk"
            $0.status = ["phase": "Bound"]
            change(&$0)
        }
    }

    @Test("a bound claim's pod goes where the volume is")
    func affinity() {
        #expect(verdict([bound()], volumes: [Decisions.volume()]) == .nodes([node], toSelect: []))
        let elsewhere = Decisions.volume {
            let isThere: JSONValue = ["key": "kubernetes.io/hostname", "operator": "In", "values": ["n2"]]
            $0.spec.nodeAffinity = ["required": ["nodeSelectorTerms": [["matchExpressions": [isThere]]]]]
        }
        #expect(
            verdict([bound()], volumes: [elsewhere])
                == .nowhere("1 node(s) didn't match PersistentVolume's node affinity"))
    }

    @Test("a claim for one pod at a time is not shared, until the other pod has ended")
    func exclusive() {
        let claim = bound { $0.spec.accessModes = ["ReadWriteOncePod"] }
        var other = Self.user("other", on: "n1")
        #expect(
            verdict([claim], volumes: [Decisions.volume()], pods: [other])
                == .nowhere(
                    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"))
        other.status = PodStatus(phase: "Failed")
        #expect(verdict([claim], volumes: [Decisions.volume()], pods: [other]) == .nodes([node], toSelect: []))
        #expect(
            verdict([claim], volumes: [Decisions.volume()], pods: [Self.user("third", on: "n1", claim: "else")])
                == .nodes([node], toSelect: []))
    }
}
