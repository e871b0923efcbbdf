import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage
import Testing

@testable import Volumes

@Suite(.enabled(if: isRoot, needsRoot)) struct PodTeardownTests {
    /// The directory of an emptyDir of the pod `uid-1`, next to which `canary/kept` is to survive.
    private func dirtyVolume(_ world: VolumeWorld) async throws -> String {
        try FileSystem.makeDirectories(world.root + "/canary")
        try world.write("canary/kept", "x")
        let pod = world.pod([Volume(name: "data", emptyDir: EmptyDirVolumeSource())])
        return try #require(try await world.manager().mount(pod)["data"]).hostPath
    }

    private func expectCanaryKept(_ world: VolumeWorld) throws {
        #expect(try FileSystem.list(world.root + "/canary") == ["kept"])
        #expect(try FileSystem.readText(world.root + "/canary/kept") == "x")
    }

    @Test("only what lies in no other mount is unmounted, and by the helper if anything in it may hang")
    func plan() {
        let entries = [
            Mount.Entry(point: "/pods/u", type: "ext4"),
            Mount.Entry(point: "/pods/u/volumes/kubernetes.io~nfs/a", type: "nfs4"),
            Mount.Entry(point: "/pods/u/volumes/kubernetes.io~nfs/a/b", type: "tmpfs"),
            Mount.Entry(point: "/pods/u/volumes/e", type: "tmpfs"),
            Mount.Entry(point: "/pods/u/volumes/e", type: "tmpfs"),
            Mount.Entry(point: "/pods/u/volumes/m", type: "tmpfs"),
            Mount.Entry(point: "/pods/u/volumes/m/deep/f", type: "fuse.sshfs"),
            Mount.Entry(point: "/pods/u/volumes/m2", type: "overlay"),
        ]
        let helped = PodTeardown.plan(entries, of: "/pods/u", hasHelper: true)
        #expect(helped.foreign == ["volumes/kubernetes.io~nfs/a", "volumes/m"])
        #expect(helped.own == ["volumes/e", "volumes/e", "volumes/m2"])
        let alone = PodTeardown.plan(entries, of: "/pods/u", hasHelper: false)
        #expect(alone.foreign == [])
        #expect(alone.own.count == 5)
    }

    @Test("links are removed, not followed")
    func links() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volume = try await dirtyVolume(world)
            try FileSystem.makeDirectories(volume + "/deep")
            #expect(symlink(world.root + "/canary", volume + "/link") == 0)
            #expect(symlink("../../../../../../canary/kept", volume + "/deep/link") == 0)
            try await world.manager().unmount(podUID: "uid-1")
            #expect(!FileSystem.exists(world.pods + "/uid-1"))
            try expectCanaryKept(world)
        }
    }

    @Test(
        "mounts that containers left, nested, stacked or of the same file system, are unmounted and keep their content")
    func nestedMounts() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volume = try await dirtyVolume(world)
            for name in ["a", "b/c", "t"] { try FileSystem.makeDirectories(volume + "/" + name) }
            try Mount.bind(world.root + "/canary", volume + "/a")
            try Mount.bind(world.root + "/canary", volume + "/a")
            try Mount.bind(world.root + "/canary", volume + "/b/c")
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: volume + "/t")
            try FileSystem.makeDirectories(volume + "/t/in side")
            try Mount.bind(world.root + "/canary", volume + "/t/in side")
            try await world.manager().unmount(podUID: "uid-1")
            #expect(!FileSystem.exists(world.pods + "/uid-1"))
            #expect(try Mount.points(below: world.root) == [])
            try expectCanaryKept(world)
        }
    }

    @Test("a mount that shows up behind the unmounting is not crossed and is reported")
    func lateMount() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volume = try await dirtyVolume(world)
            try FileSystem.makeDirectories(volume + "/late/point")
            try FileSystem.makeDirectories(volume + "/other/entry")
            try Mount.bind(world.root + "/canary", volume + "/late/point")
            let parent = try OwnedDescriptor.open(volume, O_RDONLY | O_DIRECTORY)
            for name in ["late", "other"] {
                do throws(KernelError) {
                    try TreeRemoval.remove(name, in: parent, path: volume + "/" + name)
                } catch {
                    #expect(error.errno == .improperLink || error.errno == .resourceBusy)
                }
            }
            #expect(FileSystem.exists(volume + "/late/point"))
            #expect(!FileSystem.exists(volume + "/other"), "what can go must go")
            try expectCanaryKept(world)
        }
    }

    @Test("a file in use inside a volume in memory does not keep the pod")
    func busy() async throws {
        try await VolumeWorld.with { (world) async throws in
            let pod = world.pod([Volume(name: "fast", emptyDir: EmptyDirVolumeSource(medium: "Memory"))])
            let path = try #require(try await world.manager().mount(pod)["fast"]).hostPath
            let held = try OwnedDescriptor.open(path + "/held", O_WRONLY | O_CREAT, mode: 0o600)
            try await world.manager().unmount(podUID: "uid-1")
            #expect(!FileSystem.exists(world.pods + "/uid-1"))
            try held.writeAll([1])
        }
    }

    @Test("a tree deeper than any path can say is removed")
    func hugeTree() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volume = try await dirtyVolume(world)
            var directory = try OwnedDescriptor.open(volume, O_RDONLY | O_DIRECTORY)
            for level in 0..<1200 {
                try kernelCall("mkdirat") { mkdirat(directory.raw, "dir", 0o700) }
                if level.isMultiple(of: 50) { _ = try directory.open("file", O_WRONLY | O_CREAT, mode: 0o600) }
                directory = try directory.open("dir", O_RDONLY | O_DIRECTORY)
            }
            for index in 0..<1000 {
                _ = try OwnedDescriptor.open(volume + "/f\(index)", O_WRONLY | O_CREAT, mode: 0o600)
            }
            // Names need not be UTF-8.
            let name: [CChar] = [CChar(bitPattern: 0xFF), CChar(bitPattern: 0xFE), 0]
            let wide = try OwnedDescriptor.open(volume, O_RDONLY | O_DIRECTORY)
            try kernelCall("mkdirat") { mkdirat(wide.raw, name, 0o700) }
            try await world.manager().unmount(podUID: "uid-1")
            #expect(!FileSystem.exists(world.pods + "/uid-1"))
        }
    }

    @Test("half-made pods are taken away: every kind of remains an interrupted mount or unmount leaves")
    func halfMade() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            let manager = world.manager()
            // Killed in a mount: directories without their mounts, a staging directory, a version without ..data.
            let volumes = world.pods + "/uid-1/volumes"
            for path in [
                "kubernetes.io~secret/key", "kubernetes.io~empty-dir/.data.new", "kubernetes.io~configmap/c/..1",
            ] {
                try FileSystem.makeDirectories(volumes + "/" + path)
            }
            try await manager.unmount(podUID: "uid-1")
            // Killed in a teardown, after the bindings and one of two volumes were gone.
            var pod = world.pod(
                [
                    Volume(name: "key", secret: SecretVolumeSource(secretName: "key")),
                    Volume(name: "data", emptyDir: EmptyDirVolumeSource()),
                ])
            pod.spec.containers[0].volumeMounts?[1].subPath = "sub"
            let mounted = try await manager.mount(pod)
            _ = try await manager.containerMounts(
                pod: pod, container: pod.spec.containers[0], volumes: mounted, environment: [:])
            #expect(try Mount.points(below: world.root).count == 2)
            #expect(try Mount.unmount(try #require(mounted["key"]).hostPath))
            try FileSystem.removeTree(try #require(mounted["data"]).hostPath)
            try await manager.unmount(podUID: "uid-1")
            #expect(try FileSystem.list(world.pods) == [])
            #expect(try Mount.points(below: world.root) == [])
            try await manager.unmount(podUID: "uid-1")
            // A mount after a cut-off teardown starts from what is left.
            try FileSystem.makeDirectories(volumes + "/kubernetes.io~secret/key")
            #expect(try await manager.mount(pod).count == 2)
        }
    }

    @Test("what others keep in the pod's directory stays, until the directory is removed as a whole")
    func otherContent() async throws {
        try await VolumeWorld.with { (world) async throws in
            _ = try await dirtyVolume(world)
            try world.write("pods/uid-1/etc-hosts", "127.0.0.1 localhost")
            let manager = world.manager()
            try await manager.unmount(podUID: "uid-1")
            #expect(try FileSystem.list(world.pods + "/uid-1") == ["etc-hosts"])
            #expect(try await manager.podUIDsOnDisk() == ["uid-1"])
            try await manager.removePodDirectory(podUID: "uid-1")
            #expect(try await manager.podUIDsOnDisk() == [])
        }
    }

    @Test("a state directory behind a link is taken away just the same, and other pods stay")
    func linkedStateDirectory() async throws {
        try await VolumeWorld.with { (world) async throws in
            let link = world.root + "/link"
            #expect(symlink(world.pods, link) == 0)
            let manager = VolumeManager(stateDirectory: link, objects: world.objects, nodeAllocatable: { [:] })
            let volume = Volume(name: "fast", emptyDir: EmptyDirVolumeSource(medium: "Memory"))
            _ = try await manager.mount(world.pod([volume]))
            _ = try await manager.mount(world.pod([volume], uid: "uid-10"))
            try await manager.unmount(podUID: "uid-1")
            #expect(try await manager.podUIDsOnDisk() == ["uid-10"])
            #expect(try Mount.points(below: world.root).count == 1)
        }
    }
}
