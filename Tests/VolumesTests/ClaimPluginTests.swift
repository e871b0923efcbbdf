import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

@Suite struct ClaimPluginTests {
    private func mount(
        _ world: VolumeWorld, _ storage: ClaimStorage?, claim: String = "data", namespace: String = "shop",
        uid: String = "uid-1", readOnly: Bool? = nil, fsGroup: Int64? = nil, rules: [String: HostPathAccess] = [:]
    ) throws(VolumeError) -> MountedVolume {
        let source = PersistentVolumeClaimVolumeSource(claimName: claim, readOnly: readOnly)
        var pod = world.pod([Volume(name: "v", persistentVolumeClaim: source)], uid: uid, fsGroup: fsGroup)
        pod.metadata.namespace = namespace
        return try ClaimPlugin(source: source, root: world.root + "/volumes").mount(
            VolumeContext(
                pod: pod, volumeName: "v", fieldPath: "spec.volumes[0]", directory: world.pods + "/unused",
                objects: PodObjects(claims: storage.map { [claim: $0] } ?? [:]), nodeAllocatable: [:],
                hostPaths: HostPathRules(rules: rules)))
    }

    @Test("the node's directory is open to all, and every later pod finds it with what is in it")
    func directory() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = world.root + "/volumes/shop/data"
            #expect(try mount(world, .directory) == MountedVolume(name: "v", hostPath: path))
            #expect(try mode(path) == 0o777)
            try world.write("volumes/shop/data/counter", "1")
            // Its own to change.
            #expect(chmod(path, 0o700) == 0)
            let later = try mount(world, .directory, uid: "uid-2", readOnly: true)
            #expect(later == MountedVolume(name: "v", hostPath: path, isReadOnly: true))
            #expect(try FileSystem.readText(path + "/counter") == "1")
            #expect(try mode(path) == 0o700)
            #expect(try FileSystem.list(world.root + "/volumes/shop") == ["data"])
            try await world.manager().removePodDirectory(podUID: "uid-1")
            #expect(FileSystem.exists(path + "/counter"))
        }
    }

    @Test("a volume of the API's that this node makes is a directory of its own, found again by every pod")
    func provisioned() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = world.root + "/volumes/.provisioned/pvc-1"
            #expect(try mount(world, .provisioned("pvc-1")).hostPath == path)
            #expect(try mode(path) == 0o777)
            try world.write("volumes/.provisioned/pvc-1/counter", "1")
            #expect(try mount(world, .provisioned("pvc-1"), uid: "uid-2", readOnly: true).isReadOnly)
            #expect(try FileSystem.readText(path + "/counter") == "1")
            #expect(throws: VolumeError.self) { try mount(world, .provisioned("../data")) }
        }
    }

    @Test("a claim made for a pod is that pod's alone where it brings it along; others may name it")
    func ephemeral() async throws {
        try await VolumeWorld.with { (world) async throws in
            let storage = ClaimStorage.made(forPodUID: "uid-1", .provisioned("pvc-1"))
            #expect(try mount(world, storage, uid: "uid-2").hostPath.hasSuffix("/pvc-1"))
            let source = PersistentVolumeClaimVolumeSource(claimName: "web-v")
            func bring(_ storage: ClaimStorage, uid: String) throws(VolumeError) -> MountedVolume {
                let pod = world.pod([Volume(name: "v", ephemeral: EphemeralVolumeSource())], uid: uid)
                return try ClaimPlugin(source: source, isEphemeral: true, root: world.root + "/volumes").mount(
                    VolumeContext(
                        pod: pod, volumeName: "v", fieldPath: "spec.volumes[0]", directory: world.pods + "/unused",
                        objects: PodObjects(claims: ["web-v": storage]), nodeAllocatable: [:],
                        hostPaths: HostPathRules()))
            }
            #expect(try bring(storage, uid: "uid-1").hostPath.hasSuffix("/pvc-1"))
            #expect(throws: VolumeError.self) { try bring(storage, uid: "uid-2") }
            #expect(throws: VolumeError.self) { try bring(.provisioned("pvc-1"), uid: "uid-1") }
        }
    }

    @Test("a group that comes later gets the directory", .enabled(if: isRoot, needsRoot))
    func group() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = try mount(world, .directory).hostPath
            #expect(try mode(path) == 0o777)
            _ = try mount(world, .directory, fsGroup: 4242)
            #expect(try mode(path) == 0o2777)
            #expect(try fileStatus(path).st_gid == 4242)
        }
    }

    @Test("a run that was killed half way leaves nothing in the way")
    func interrupted() async throws {
        try await VolumeWorld.with { (world) async throws in
            try FileSystem.makeDirectories(world.root + "/volumes/shop/.uid-1.new")
            #expect(try mode(mount(world, .directory).hostPath) == 0o777)
            #expect(try FileSystem.list(world.root + "/volumes/shop") == ["data"])
        }
    }

    @Test(
        "names that lead elsewhere never form a path",
        arguments: [
            ("..", "shop"), ("a/b", "shop"), ("", "shop"), (".x", "shop"), ("a", ".."), ("a", ""), ("a\0", "b"),
        ])
    func names(claim: String, namespace: String) async throws {
        try await VolumeWorld.with { (world) async throws in
            let error = #expect(throws: VolumeError.self) {
                try mount(world, .directory, claim: claim, namespace: namespace)
            }
            #expect(error?.code == .invalid)
            #expect(!FileSystem.exists(world.root + "/volumes"))
        }
    }

    @Test("a host path behind a claim is held to the policy")
    func hostPath() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = world.root + "/disk"
            let storage = ClaimStorage.hostPath(
                HostPathVolumeSource(path: path), field: "persistentvolume \"disk\": spec.hostPath")
            let name = "persistentvolumeclaim \"shop/data\": persistentvolume \"disk\": spec.hostPath.path \"\(path)\" "
            let denied = VolumeError(.unsafePath, name + "is not allowed by the node's policy")
            #expect(throws: denied) { try mount(world, storage, rules: [path: .none]) }
            #expect(!FileSystem.exists(path))
            let writable = MountedVolume(name: "v", hostPath: path, forbidsLinks: true)
            #expect(try mount(world, storage) == writable)
            let readOnly = MountedVolume(name: "v", hostPath: path, isReadOnly: true, forbidsLinks: true)
            #expect(try mount(world, storage, readOnly: true) == readOnly)
            #expect(try mount(world, storage, readOnly: true, rules: [path: .readOnly]) == readOnly)
            let unwritable = VolumeError(
                .unsafePath,
                name + "may only be read under the node's policy: set "
                    + "spec.volumes[0].persistentVolumeClaim.readOnly: true")
            #expect(throws: unwritable) { try mount(world, storage, rules: [path: .readOnly]) }
        }
    }

    @Test("a claim that is missing or bound to nothing says so")
    func unbound() async throws {
        try await VolumeWorld.with { (world) async throws in
            #expect(throws: VolumeError(.notFound, "persistentvolumeclaim \"shop/data\" not found")) {
                try mount(world, nil)
            }
            let reason = VolumeError(.notFound, "persistentvolumeclaim \"shop/data\": cannot be bound: why")
            #expect(throws: reason) { try mount(world, .unbound("why")) }
        }
    }

    @Test("a node that has no directory for claims refuses pods that use them")
    func refused() async throws {
        try await VolumeWorld.with { (world) async throws in
            let claim = PersistentVolumeClaimVolumeSource(claimName: "data")
            let pod = world.pod([Volume(name: "v", persistentVolumeClaim: claim)])
            let error = await #expect(throws: VolumeError.self) { try await world.manager().mount(pod) }
            #expect(error?.code == .unsupported)
        }
    }
}
