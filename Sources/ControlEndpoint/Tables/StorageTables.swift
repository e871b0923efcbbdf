internal import KubernetesAPI

/// The tables of claims, volumes and their classes.
extension TableLayout {
    static let persistentVolumeClaims = TableLayout(
        columns: [
            nameColumn, Column(name: "Status", description: "Whether the claim has a volume."),
            Column(name: "Volume", description: "The claim's volume."),
            Column(name: "Capacity", description: "The volume's size."),
            Column(name: "Access Modes", description: "How the volume can be used."),
            Column(name: "StorageClass", description: "The class the claim asks for."), ageColumn,
            Column(name: "VolumeMode", description: "Files or a block device.", priority: 1),
        ]
    ) { claim, now in
        let isGoing = !claim.string("metadata", "deletionTimestamp").isEmpty
        return [
            name(claim), .string(isGoing ? "Terminating" : claim.string("status", "phase")),
            .string(claim.string("spec", "volumeName")), .string(claim.string("status", "capacity", "storage")),
            .string(accessModes(claim.list("status", "accessModes"))),
            .string(claim.string("spec", "storageClassName")), age(claim, now),
            .string(volumeMode(claim)),
        ]
    }

    static let persistentVolumes = TableLayout(
        columns: [
            nameColumn, Column(name: "Capacity", description: "The volume's size."),
            Column(name: "Access Modes", description: "How the volume can be used."),
            Column(name: "Reclaim Policy", description: "What becomes of it when its claim is gone."),
            Column(name: "Status", description: "Whether a claim has it."),
            Column(name: "Claim", description: "The claim that has it."),
            Column(name: "StorageClass", description: "The class it belongs to."),
            Column(name: "Reason", description: "Why it is as it is."), ageColumn,
            Column(name: "VolumeMode", description: "Files or a block device.", priority: 1),
        ]
    ) { volume, now in
        let claim = volume.string("spec", "claimRef", "name")
        let isGoing = !volume.string("metadata", "deletionTimestamp").isEmpty
        return [
            name(volume), .string(volume.string("spec", "capacity", "storage")),
            .string(accessModes(volume.list("spec", "accessModes"))),
            .string(volume.string("spec", "persistentVolumeReclaimPolicy")),
            .string(isGoing ? "Terminating" : volume.string("status", "phase")),
            .string(claim.isEmpty ? "" : volume.string("spec", "claimRef", "namespace") + "/" + claim),
            .string(volume.string("spec", "storageClassName")), .string(volume.string("status", "reason")),
            age(volume, now), .string(volumeMode(volume)),
        ]
    }

    static let storageClasses = TableLayout(
        columns: [
            nameColumn, Column(name: "Provisioner", description: "Who makes volumes of the class."),
            Column(name: "ReclaimPolicy", description: "What becomes of a volume when its claim is gone."),
            Column(name: "VolumeBindingMode", description: "When volumes are made."),
            Column(name: "AllowVolumeExpansion", type: "boolean", description: "Whether volumes can grow."), ageColumn,
        ]
    ) { storageClass, now in
        let annotations = storageClass.stringMap(at: "metadata", "annotations")
        let mark = annotations[StorageClass.defaultAnnotation] == "true" ? " (default)" : ""
        return [
            .string(storageClass.string("metadata", "name") + mark), .string(storageClass.string("provisioner")),
            .string(storageClass.string("reclaimPolicy")), .string(storageClass.string("volumeBindingMode")),
            .bool(storageClass["allowVolumeExpansion"] == .bool(true)), age(storageClass, now),
        ]
    }

    private static func accessModes(_ modes: [JSONValue]) -> String {
        let short = [
            "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
        ]
        return modes.compactMap { $0.stringValue.map { short[$0] ?? $0 } }.joined(separator: ",")
    }

    private static func volumeMode(_ object: JSONValue) -> String {
        let mode = object.string("spec", "volumeMode")
        return mode.isEmpty ? "Filesystem" : mode
    }
}
