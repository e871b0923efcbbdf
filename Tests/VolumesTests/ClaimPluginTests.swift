import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage
import Testing

@testable import Volumes

@Suite struct ClaimPluginTests {
    private func mount(
        _ world: VolumeWorld, _ storage: ClaimStorage?, claim: String = "data", namespace: String = "shop",
        uid: String = "uid-1", readOnly: Bool? = nil, fsGroup: Int64? = nil, policy: String? = nil,
        rules: [String: HostPathAccess] = [:], change: (inout Pod) -> Void = { _ in }
    ) throws(VolumeError) -> MountedVolume {
        let source = PersistentVolumeClaimVolumeSource(claimName: claim, readOnly: readOnly)
        var pod = world.pod([Volume(name: "v", persistentVolumeClaim: source)], uid: uid, fsGroup: fsGroup)
        pod.metadata.namespace = namespace
        pod.spec.securityContext?.fsGroupChangePolicy = policy
        change(&pod)
        return try ClaimPlugin(source: source, root: world.root + "/volumes").mount(
            VolumeContext(
                pod: pod, volumeName: "v", fieldPath: "spec.volumes[0]",
                directory: "\(world.pods)/\(uid)/volumes/\(ClaimPlugin.directoryName)/v",
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

    /// Mode and group of what is in a volume.
    private func facts(_ path: String) throws -> String {
        let status = try fileStatus(path)
        return "\(String(status.st_mode & 0o7777, radix: 8)) \(status.st_gid)"
    }

    @Test(
        "a group that comes later gets all that is in the volume, links themselves and not what they lead to",
        .enabled(if: isRoot, needsRoot))
    func group() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = try mount(world, .directory).hostPath
            #expect(try facts(path) == "777 0")
            try FileSystem.makeDirectories(path + "/a/b", mode: 0o700)
            try world.write("volumes/shop/data/a/b/file", "1")
            #expect(chmod(path + "/a/b/file", 0o600) == 0)
            try world.write("outside", "2")
            #expect(chmod(world.root + "/outside", 0o600) == 0)
            #expect(symlink(world.root + "/outside", path + "/link") == 0)
            _ = try mount(world, .directory, uid: "uid-2", fsGroup: 4242)
            #expect(try facts(path) == "2777 4242")
            #expect(try facts(path + "/a") == "2770 4242")
            #expect(try facts(path + "/a/b") == "2770 4242")
            #expect(try facts(path + "/a/b/file") == "660 4242")
            #expect(try fileStatus(path + "/link").st_gid == 4242)
            #expect(try facts(world.root + "/outside") == "600 0")
        }
    }

    @Test(
        "each pod is given the volume once: what it changes then stays, also when the agent looks again",
        .enabled(if: isRoot, needsRoot))
    func once() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = try mount(world, .directory, fsGroup: 4242).hostPath
            try FileSystem.makeDirectories(path + "/database", mode: 0o700)
            _ = try mount(world, .directory, fsGroup: 4242)
            #expect(try facts(path + "/database") == "2700 4242", "made in a directory with setgid")
            _ = try mount(world, .directory, uid: "uid-2", fsGroup: 4242)
            #expect(try facts(path + "/database") == "2770 4242")
        }
    }

    @Test(
        "OnRootMismatch leaves a volume alone whose own directory is given; a read-only claim is never changed",
        .enabled(if: isRoot, needsRoot))
    func policy() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = try mount(world, .directory, fsGroup: 4242, policy: "OnRootMismatch").hostPath
            #expect(try facts(path) == "2777 4242")
            try FileSystem.makeDirectories(path + "/database", mode: 0o700)
            _ = try mount(world, .directory, uid: "uid-2", fsGroup: 4242, policy: "OnRootMismatch")
            #expect(try facts(path + "/database") == "2700 4242")
            _ = try mount(world, .directory, uid: "uid-3", readOnly: true, fsGroup: 77)
            #expect(try facts(path) == "2777 4242")
            _ = try mount(world, .directory, uid: "uid-4", fsGroup: 77, policy: "OnRootMismatch")
            #expect(try facts(path + "/database") == "2770 77")
            #expect(throws: VolumeError.self) {
                try mount(world, .directory, uid: "uid-5", fsGroup: 1, policy: "Never")
            }
        }
    }

    @Test("a local volume gets the group, a hostPath one keeps its owners", .enabled(if: isRoot, needsRoot))
    func groupOfHostPaths() async throws {
        try await VolumeWorld.with { (world) async throws in
            for name in ["local", "host"] {
                try FileSystem.makeDirectories("\(world.root)/\(name)/in", mode: 0o755)
            }
            _ = try mount(world, .local(world.root + "/local", field: "f"), fsGroup: 4242)
            _ = try mount(
                world, .hostPath(HostPathVolumeSource(path: world.root + "/host"), field: "f"), uid: "uid-2",
                fsGroup: 4242)
            #expect(try facts(world.root + "/local/in") == "2775 4242")
            #expect(try facts(world.root + "/host/in") == "755 0")
            #expect(throws: VolumeError.self) { try mount(world, .local(world.root + "/none", field: "f")) }
        }
    }

    @Test("directories too deep to walk are an error, not the end of the agent", .enabled(if: isRoot, needsRoot))
    func depth() async throws {
        try await VolumeWorld.with { (world) async throws in
            let path = try mount(world, .directory).hostPath
            try FileSystem.makeDirectories(path + "/" + String(repeating: "d/", count: 258))
            let error = #expect(throws: VolumeError.self) { try mount(world, .directory, uid: "uid-2", fsGroup: 4242) }
            #expect(error?.cause?.errno == .fileNameTooLong)
        }
    }

    @Test("a block volume must lead to a block device, and is used as one or not at all")
    func devices() async throws {
        try await VolumeWorld.with { (world) async throws in
            try world.write("disk.img", "no device")
            func use(_ path: String, asDevice: Bool = true) throws(VolumeError) -> MountedVolume {
                try mount(world, .device(path, field: "f")) { pod in
                    if !asDevice { return }
                    pod.spec.containers[0].volumeMounts = nil
                    pod.spec.containers[0].volumeDevices = [VolumeDevice(name: "v", devicePath: "/dev/disk")]
                }
            }
            #expect(throws: VolumeError.self) { try use(world.root + "/disk.img") }
            #expect(throws: VolumeError.self) { try use("/dev/null") }
            #expect(throws: VolumeError.self) { try use(world.root + "/none") }
            let mounted = #expect(throws: VolumeError.self) { try use("/dev/null", asDevice: false) }
            #expect(
                mounted?.message.hasSuffix("has volumeMode Block, but container \"main\" has it in volumeMounts")
                    == true)
            let files = #expect(throws: VolumeError.self) {
                try mount(world, .directory) {
                    $0.spec.containers[0].volumeMounts = nil
                    $0.spec.containers[0].volumeDevices = [VolumeDevice(name: "v", devicePath: "/dev/disk")]
                }
            }
            #expect(
                files?.message.hasSuffix("has volumeMode Filesystem, but container \"main\" has it in volumeDevices")
                    == true)
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
            let writable = MountedVolume(name: "v", hostPath: path, forbidsLinks: true, mayHang: true)
            #expect(try mount(world, storage) == writable)
            let readOnly = MountedVolume(
                name: "v", hostPath: path, isReadOnly: true, forbidsLinks: true, mayHang: true)
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
