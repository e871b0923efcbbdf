import KubernetesAPI
import Testing

@testable import Controllers

@Suite("Volume binding decision")
struct VolumeBindingDecisionTests {
    typealias Action = VolumeBindingDecision.Action
    typealias World = VolumeBindingDecision.World

    static let ours = "swiftlet.dev/local"

    static func storageClass(_ name: String = "fast", waits: Bool = false, isDefault: Bool = false) -> StorageClass {
        StorageClass(
            metadata: ObjectMeta(
                name: name, annotations: isDefault ? ["storageclass.kubernetes.io/is-default-class": "true"] : nil),
            provisioner: ours, reclaimPolicy: "Delete",
            volumeBindingMode: waits ? "WaitForFirstConsumer" : "Immediate")
    }

    static func claim(_ name: String = "data", _ change: (inout PersistentVolumeClaim) -> Void = { _ in })
        -> PersistentVolumeClaim
    {
        var claim = PersistentVolumeClaim(
            metadata: ObjectMeta(
                name: name, namespace: "ns", uid: "uid-\(name)", finalizers: ["kubernetes.io/pvc-protection"]),
            spec: PersistentVolumeClaimSpec(
                accessModes: ["ReadWriteOnce"],
                resources: VolumeResourceRequirements(requests: ["storage": .bytes(1 << 30)]),
                storageClassName: "fast"))
        change(&claim)
        return claim
    }

    static func volume(
        _ name: String = "disk", gibibytes: Int64 = 1, _ change: (inout PersistentVolume) -> Void = { _ in }
    )
        -> PersistentVolume
    {
        var volume = PersistentVolume(
            metadata: ObjectMeta(name: name, uid: "uid-\(name)", finalizers: ["kubernetes.io/pv-protection"]),
            spec: PersistentVolumeSpec(
                capacity: ["storage": .bytes(gibibytes << 30)], accessModes: ["ReadWriteOnce"],
                hostPath: HostPathVolumeSource(path: "/disk")))
        volume.spec.storageClassName = "fast"
        volume.status = ["phase": "Available"]
        change(&volume)
        return volume
    }

    static func reference(_ claim: PersistentVolumeClaim) -> ObjectReference {
        ObjectReference(
            kind: "PersistentVolumeClaim", namespace: "ns", name: claim.metadata.name, uid: claim.metadata.uid,
            apiVersion: "v1")
    }

    private let node = SchedulingDecisionTests.node(labels: ["kubernetes.io/hostname": "n1"])

    private func decide(_ world: World) -> [Action] {
        var world = world
        if world.nodes.isEmpty { world.nodes = [node] }
        return VolumeBindingDecision.decide(world, provisioner: Self.ours) { "/volumes/" + $0 }
    }

    /// Carries the writes out, as a server would, until nothing is left to be done.
    private func settle(_ start: World) -> (World, [Action]) {
        var (world, done) = (start, [Action]())
        for _ in 0..<20 {
            let actions = decide(world)
            if actions.allSatisfy({ if case .tell = $0 { true } else { false } }) { return (world, done + actions) }
            done += actions
            for action in actions { Self.carryOut(action, on: &world) }
        }
        Issue.record("it never comes to rest")
        return (world, done)
    }

    private static func carryOut(_ action: Action, on world: inout World) {
        func put(_ claim: PersistentVolumeClaim) {
            world.claims.removeAll { $0.metadata.name == claim.metadata.name }
            let isGone = claim.metadata.deletionTimestamp != nil && claim.metadata.finalizers?.isEmpty == true
            if !isGone { world.claims.append(claim) }
        }
        func put(_ volume: PersistentVolume) {
            world.volumes.removeAll { $0.metadata.name == volume.metadata.name }
            let isGone = volume.metadata.deletionTimestamp != nil && volume.metadata.finalizers?.isEmpty == true
            if !isGone { world.volumes.append(volume) }
        }
        switch action {
        case .createClaim(var claim, _):
            claim.metadata.uid = "uid-\(claim.metadata.name ?? "")"
            put(claim)
        case .updateClaim(let claim), .updateClaimStatus(let claim): put(claim)
        case .deleteClaim(var claim):
            claim.metadata.deletionTimestamp = Timestamp(seconds: 1)
            put(claim)
        case .provision(let volume, _), .updateVolume(let volume), .updateVolumeStatus(let volume): put(volume)
        case .reclaim(var volume):
            volume.metadata.deletionTimestamp = Timestamp(seconds: 1)
            put(volume)
        case .tell: break
        }
    }

    // MARK: Volumes that are there

    @Test("the smallest volume that does is bound, in steps that end with both saying so")
    func binds() throws {
        let (world, _) = settle(
            World(
                claims: [Self.claim()],
                volumes: [
                    Self.volume("large", gibibytes: 5), Self.volume("small", gibibytes: 2),
                    Self.volume("tiny") { $0.spec.capacity = ["storage": .bytes(1 << 20)] },
                ], classes: [Self.storageClass()]))
        let claim = try #require(world.claims.first)
        #expect(claim.spec.volumeName == "small" && claim.phase == "Bound")
        #expect(claim.status?["capacity"]?["storage"] == "2Gi")
        let volume = try #require(world.volumes.first { $0.metadata.name == "small" })
        #expect(volume.phase == "Bound" && volume.spec.claimRef?.uid == "uid-data")
    }

    @Test(
        "a volume of another class, mode, access or size, or one that is going, is not taken",
        arguments: [
            { $0.spec.storageClassName = "slow" }, { $0.spec.volumeMode = "Block" },
            { $0.spec.accessModes = ["ReadOnlyMany"] }, { $0.spec.capacity = ["storage": .bytes(1)] },
            { $0.metadata.deletionTimestamp = Timestamp(seconds: 1) },
            { $0.spec.claimRef = ObjectReference(namespace: "ns", name: "other") },
        ] as [@Sendable (inout PersistentVolume) -> Void])
    func refuses(change: @Sendable (inout PersistentVolume) -> Void) throws {
        let (world, _) = settle(
            World(claims: [Self.claim { $0.spec.storageClassName = "fast" }], volumes: [Self.volume("disk", change)]))
        #expect(try #require(world.claims.first).spec.volumeName == nil)
    }

    @Test("one volume is not given to two claims in one pass; the older claim gets it")
    func once() throws {
        let older = Self.claim("old") { $0.metadata.creationTimestamp = Timestamp(seconds: 1) }
        let newer = Self.claim("new") { $0.metadata.creationTimestamp = Timestamp(seconds: 2) }
        let (world, _) = settle(World(claims: [newer, older], volumes: [Self.volume()]))
        #expect(world.claims.first { $0.metadata.name == "old" }?.phase == "Bound")
        #expect(world.claims.first { $0.metadata.name == "new" }?.phase == "Pending")
    }

    @Test("a volume reserved for a claim, or named by it, is bound whatever its class")
    func reserved() throws {
        let reserved = Self.volume {
            $0.spec.storageClassName = "slow"
            $0.spec.claimRef = ObjectReference(namespace: "ns", name: "data")
        }
        #expect(
            try #require(settle(World(claims: [Self.claim()], volumes: [reserved])).0.claims.first).phase == "Bound")
        let naming = Self.claim { $0.spec.volumeName = "disk" }
        let named = settle(World(claims: [naming], volumes: [Self.volume { $0.spec.storageClassName = "slow" }])).0
        #expect(try #require(named.claims.first).phase == "Bound")
        #expect(try #require(named.volumes.first).phase == "Bound")
    }

    @Test("a claim whose volume is gone, or is another's, is lost")
    func lost() throws {
        let bound = Self.claim {
            $0.spec.volumeName = "disk"
            $0.metadata.annotations = ["pv.kubernetes.io/bind-completed": "yes"]
            $0.status = ["phase": "Bound"]
        }
        #expect(try #require(settle(World(claims: [bound])).0.claims.first).phase == "Lost")
        let other = Self.volume { $0.spec.claimRef = Self.reference(Self.claim("other")) }
        #expect(
            try #require(
                settle(World(claims: [bound, Self.claim("other")], volumes: [other])).0
                    .claims.first { $0.metadata.name == "data" }
            ).phase == "Lost")
    }

    // MARK: Volumes that are made

    @Test("a claim of our class gets a volume of its own on the node; the default class goes to a claim without one")
    func provisions() throws {
        let unclassified = Self.claim { $0.spec.storageClassName = nil }
        let (world, _) = settle(World(claims: [unclassified], classes: [Self.storageClass(isDefault: true)]))
        let claim = try #require(world.claims.first)
        #expect(claim.phase == "Bound" && claim.spec.storageClassName == "fast")
        #expect(claim.spec.volumeName == "pvc-uid-data")
        let volume = try #require(world.volumes.first)
        #expect(volume.spec.local?.path == "/volumes/pvc-uid-data")
        #expect(volume.spec.persistentVolumeReclaimPolicy == "Delete" && volume.phase == "Bound")
        #expect(volume.isAvailable(on: node))
        #expect(!volume.isAvailable(on: SchedulingDecisionTests.node("n2", labels: ["kubernetes.io/hostname": "n2"])))
    }

    @Test("an empty class is not the default one: nothing is made")
    func classless() {
        let claim = Self.claim { $0.spec.storageClassName = "" }
        let actions = decide(World(claims: [claim], classes: [Self.storageClass(isDefault: true)]))
        #expect(
            actions == [
                .tell(
                    claim, isWarning: false, reason: "FailedBinding",
                    message: "no persistent volumes available for this claim and no storage class is set")
            ])
    }

    @Test("with WaitForFirstConsumer nothing is made before a node is chosen")
    func waits() throws {
        let world = World(claims: [Self.claim()], classes: [Self.storageClass(waits: true)])
        #expect(
            decide(world) == [
                .tell(
                    Self.claim(), isWarning: false, reason: "WaitForFirstConsumer",
                    message: "waiting for first consumer to be created before binding")
            ])
        let chosen = Self.claim { $0.metadata.annotations = ["volume.kubernetes.io/selected-node": "n1"] }
        let (settled, _) = settle(World(claims: [chosen], classes: [Self.storageClass(waits: true)]))
        #expect(try #require(settled.claims.first).phase == "Bound")
    }

    @Test("a class that does not exist, another's class and a block volume are told of, and nothing is made")
    func told() {
        func reason(_ world: World) -> String? {
            guard case .tell(_, _, let reason, _)? = decide(world).first else { return nil }
            return reason
        }
        #expect(reason(World(claims: [Self.claim()])) == "ProvisioningFailed")
        var foreign = Self.storageClass()
        foreign.provisioner = "example.com/disks"
        #expect(reason(World(claims: [Self.claim()], classes: [foreign])) == "ExternalProvisioning")
        let block = Self.claim { $0.spec.volumeMode = "Block" }
        #expect(reason(World(claims: [block], classes: [Self.storageClass()])) == "ProvisioningFailed")
    }

    // MARK: The end

    private func bound(_ policy: String, ours: Bool) -> PersistentVolume {
        Self.volume {
            $0.spec.claimRef = Self.reference(Self.claim())
            $0.spec.persistentVolumeReclaimPolicy = policy
            $0.status = ["phase": "Bound"]
            if ours { $0.metadata.annotations = ["pv.kubernetes.io/provisioned-by": Self.ours] }
        }
    }

    @Test("what was made for a claim goes with it under Delete, and stays under Retain")
    func reclaims() throws {
        let (deleted, actions) = settle(World(volumes: [bound("Delete", ours: true)]))
        #expect(deleted.volumes.isEmpty)
        #expect(actions.contains { if case .reclaim = $0 { true } else { false } })
        let (kept, others) = settle(World(volumes: [bound("Retain", ours: true)]))
        #expect(try #require(kept.volumes.first).phase == "Released")
        #expect(!others.contains { if case .reclaim = $0 { true } else { false } })
    }

    @Test("what was not made here is never removed, whatever it says")
    func foreign() throws {
        let (world, actions) = settle(World(volumes: [bound("Delete", ours: false)]))
        #expect(try #require(world.volumes.first).phase == "Failed")
        #expect(!actions.contains { if case .reclaim = $0 { true } else { false } })
    }

    @Test("a claim of the same name that came later is not the one the volume belonged to")
    func successor() throws {
        let later = Self.claim { $0.metadata.uid = "uid-later" }
        let (world, _) = settle(World(claims: [later], volumes: [bound("Retain", ours: true)]))
        #expect(try #require(world.volumes.first).phase == "Released")
        #expect(try #require(world.claims.first).spec.volumeName == nil)
    }

    @Test("a claim that is deleted stays while a pod uses it, and a bound volume while its claim is there")
    func protection() throws {
        let going = Self.claim {
            $0.metadata.deletionTimestamp = Timestamp(seconds: 1)
            $0.spec.volumeName = "disk"
        }
        var user = SchedulingDecisionTests.pod(on: "n1") {
            $0.volumes = [
                Volume(name: "v", persistentVolumeClaim: PersistentVolumeClaimVolumeSource(claimName: "data"))
            ]
        }
        #expect(settle(World(claims: [going], pods: [user])).0.claims.count == 1)
        user.status = PodStatus(phase: "Succeeded")
        #expect(settle(World(claims: [going], pods: [user])).0.claims.isEmpty)
        var disk = bound("Retain", ours: false)
        disk.metadata.deletionTimestamp = Timestamp(seconds: 1)
        let claim = Self.claim { $0.spec.volumeName = "disk" }
        #expect(settle(World(claims: [claim], volumes: [disk])).0.volumes.count == 1)
        #expect(settle(World(volumes: [disk])).0.volumes.isEmpty)
    }

    // MARK: Claims of pods

    @Test("a pod's own claim is made with it as the owner, and goes with it")
    func ephemeral() throws {
        let template = PersistentVolumeClaimTemplate(
            metadata: ObjectMeta(labels: ["a": "b"]), spec: Self.claim().spec)
        let pod = SchedulingDecisionTests.pod("web") {
            $0.volumes = [Volume(name: "scratch", ephemeral: EphemeralVolumeSource(volumeClaimTemplate: template))]
        }
        let actions = decide(World(pods: [pod]))
        guard case .createClaim(let claim, _)? = actions.first else {
            Issue.record("no claim is made: \(actions)")
            return
        }
        #expect(claim.metadata.name == "web-scratch" && claim.metadata.namespace == "ns")
        #expect(claim.metadata.labels == ["a": "b"])
        #expect(claim.metadata.ownerReferences?.first?.uid == "uid-web")
        #expect(claim.metadata.ownerReferences?.first?.controller == true)
        var made = claim
        made.metadata.uid = "c"
        #expect(!decide(World(claims: [made], pods: [pod])).contains(.createClaim(claim, for: pod)))
        #expect(decide(World(claims: [made])) == [.deleteClaim(made)])
    }

    @Test("a described driver's volume becomes as large as its claim asks for, then the node's part is awaited")
    func growth() throws {
        var claim = Self.claim {
            $0.spec.volumeName = "disk"
            $0.metadata.annotations = ["pv.kubernetes.io/bind-completed": "yes"]
            $0.spec.resources?.requests = ["storage": .bytes(3 << 30)]
            $0.status = ["phase": "Bound", "capacity": ["storage": "1Gi"]]
        }
        let volume = Self.volume {
            $0.spec.hostPath = nil
            $0.spec.csi = ["driver": "d.example.org", "volumeHandle": "h"]
            $0.spec.claimRef = Self.reference(claim)
            $0.status = ["phase": "Bound"]
        }
        var larger = volume
        larger.spec.capacity = ["storage": .bytes(3 << 30)]
        #expect(decide(World(claims: [claim], volumes: [volume])) == [.updateVolume(larger)])
        var provisioned = volume
        provisioned.metadata.annotations = ["pv.kubernetes.io/provisioned-by": "d.example.org"]
        #expect(decide(World(claims: [claim], volumes: [provisioned])) == [])
        let actions = decide(World(claims: [claim], volumes: [larger]))
        guard case .updateClaimStatus(let waiting)? = actions.first, actions.count == 1 else {
            Issue.record("the claim's status is not written: \(actions)")
            return
        }
        #expect(waiting.status?["conditions"]?.arrayValue?.first?["type"] == "FileSystemResizePending")
        #expect(waiting.status?["allocatedResourceStatuses"] == ["storage": "NodeResizePending"])
        #expect(waiting.capacity == .bytes(1 << 30))
        #expect(decide(World(claims: [waiting], volumes: [larger])) == [])
        claim.status = ["phase": "Bound", "capacity": ["storage": "3Gi"]]
        #expect(decide(World(claims: [claim], volumes: [larger])) == [])
    }
}
