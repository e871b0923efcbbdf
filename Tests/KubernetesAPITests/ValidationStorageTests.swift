import Testing

@testable import KubernetesAPI

@Suite struct ValidationStorageTests {
    private let claim = PersistentVolumeClaim(
        metadata: ObjectMeta(name: "data", namespace: "ns"),
        spec: PersistentVolumeClaimSpec(
            accessModes: ["ReadWriteOnce"],
            resources: VolumeResourceRequirements(requests: ["storage": .bytes(1 << 20)])))

    private func changed(_ change: (inout PersistentVolumeClaim) -> Void) -> PersistentVolumeClaim {
        var changed = claim
        change(&changed)
        return changed
    }

    @Test("a claim may get a volume and a class once, and nothing else of it changes")
    func claims() {
        let bound = changed { $0.spec.volumeName = "disk" }
        #expect(bound.validateUpdate(old: claim).isEmpty)
        #expect(changed { $0.spec.storageClassName = "fast" }.validateUpdate(old: claim).isEmpty)
        #expect(claim.validateUpdate(old: bound).count == 1)
        #expect(!changed { $0.spec.volumeName = "other" }.validateUpdate(old: bound).isEmpty)
        #expect(!changed { $0.spec.accessModes = ["ReadWriteMany"] }.validateUpdate(old: claim).isEmpty)
        let classless = changed { $0.spec.storageClassName = "" }
        #expect(!changed { $0.spec.storageClassName = "fast" }.validateUpdate(old: classless).isEmpty)
    }

    @Test("a volume never becomes another place")
    func volumes() {
        let volume = PersistentVolume(
            metadata: ObjectMeta(name: "disk"), spec: PersistentVolumeSpec(local: LocalVolumeSource(path: "/a")))
        var moved = volume
        moved.spec.local?.path = "/b"
        #expect(!moved.validateUpdate(old: volume).isEmpty)
        var claimed = volume
        claimed.spec.claimRef = ObjectReference(namespace: "ns", name: "data")
        #expect(claimed.validateUpdate(old: volume).isEmpty)
    }

    @Test("in a manifest nothing is removed and nothing chosen")
    func manifests() {
        var volume = PersistentVolume(metadata: ObjectMeta(name: "disk"))
        #expect(volume.validateManifest().isEmpty)
        volume.spec.persistentVolumeReclaimPolicy = "Delete"
        #expect(!volume.validateManifest().isEmpty)
        #expect(claim.validateManifest().isEmpty)
        #expect(!changed { $0.spec.selector = LabelSelector() }.validateManifest().isEmpty)
        #expect(!changed { $0.metadata = ObjectMeta(generateName: "x-") }.validateManifest().isEmpty)
    }

    @Test("a class says who makes its volumes; what it leaves out is Delete and Immediate, and it does not change")
    func classes() {
        var storageClass = StorageClass(metadata: ObjectMeta(name: "fast"), provisioner: "example.com/disks")
        storageClass.applyDefaults()
        #expect(storageClass.reclaimPolicy == "Delete" && storageClass.volumeBindingMode == "Immediate")
        #expect(storageClass.validate().isEmpty && !storageClass.waitsForConsumer && !storageClass.isDefault)
        var other = storageClass
        other.reclaimPolicy = "Recycle"
        #expect(!other.validate().isEmpty && !other.validateUpdate(old: storageClass).isEmpty)
        #expect(!StorageClass(metadata: ObjectMeta(name: "fast")).validate().isEmpty)
    }
}
