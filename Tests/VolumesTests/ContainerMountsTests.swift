import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import Synchronization
import Testing

@testable import Volumes

@Suite(.enabled(if: isRoot, needsRoot)) struct ContainerMountsTests {
    private let data = Volume(name: "data", emptyDir: EmptyDirVolumeSource())

    /// The mounts of a container that mounts `data` once for each subPath.
    private func mounts(
        _ world: VolumeWorld, _ mounts: [VolumeMount], privileged: Bool = false, environment: [String: String] = [:]
    ) async throws -> [VolumeMountPoint] {
        let manager = world.manager()
        var pod = world.pod([data])
        pod.spec.containers[0].volumeMounts = mounts
        pod.spec.containers[0].securityContext = SecurityContext(privileged: privileged)
        let volumes = try await manager.mount(pod)
        return try await manager.containerMounts(
            pod: pod, container: pod.spec.containers[0], volumes: volumes, environment: environment)
    }

    private func volumeDirectory(_ world: VolumeWorld) -> String {
        world.pods + "/uid-1/volumes/kubernetes.io~empty-dir/data"
    }

    @Test("whole volumes, parents before what is mounted inside them")
    func wholeVolumes() async throws {
        try await VolumeWorld.with { (world) async throws in
            let points = try await mounts(
                world,
                [
                    VolumeMount(name: "data", readOnly: true, mountPath: "/a/b/c"),
                    VolumeMount(name: "data", mountPath: "relative", mountPropagation: "HostToContainer"),
                    VolumeMount(name: "data", mountPath: "/a"),
                ])
            #expect(points.map(\.containerPath) == ["/relative", "/a", "/a/b/c"])
            #expect(points.map(\.readOnly) == [false, false, true])
            #expect(points.map(\.propagation) == [.hostToContainer, .none, .none])
            #expect(points.allSatisfy { $0.hostPath == volumeDirectory(world) && !$0.isFile })
        }
    }

    @Test("object volumes are read-only whatever the mount says")
    func readOnlyVolumes() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setConfigMap("app", ["a": "1"])
            let pod = world.pod([Volume(name: "app", configMap: ConfigMapVolumeSource(name: "app"))])
            let manager = world.manager()
            let points = try await manager.containerMounts(
                pod: pod, container: pod.spec.containers[0], volumes: try await manager.mount(pod), environment: [:])
            #expect(points.map(\.readOnly) == [true])
        }
    }

    @Test("a subPath is made with the volume's mode and bound; a second start finds the same binding")
    func subPathDirectory() async throws {
        try await VolumeWorld.with { (world) async throws in
            let mount = VolumeMount(name: "data", mountPath: "/x", subPath: "./a//b")
            let point = try #require(try await mounts(world, [mount]).first)
            #expect(point.hostPath == world.pods + "/uid-1/volume-subpaths/data/main/0")
            #expect(try mode(volumeDirectory(world) + "/a/b") == 0o777)
            let source = try fileStatus(volumeDirectory(world) + "/a/b")
            let bound = try fileStatus(point.hostPath)
            #expect(source.st_ino == bound.st_ino && source.st_dev == bound.st_dev)
            #expect(try await mounts(world, [mount]) == [point])
            #expect(try Mount.points(below: world.root) == [point.hostPath], "bound twice")
            // The container replaced the directory between two starts.
            let directory = volumeDirectory(world) + "/a"
            #expect(rename(directory + "/b", directory + "/old") == 0)
            #expect(try await mounts(world, [mount]) == [point])
            #expect(try fileStatus(point.hostPath).st_ino == fileStatus(directory + "/b").st_ino)
            #expect(try Mount.points(below: world.root) == [point.hostPath])
        }
    }

    @Test("a subPath may be a file, or go through links that stay inside")
    func subPathFile() async throws {
        try await VolumeWorld.with { (world) async throws in
            world.objects.setConfigMap("app", ["a.conf": "1"])
            var pod = world.pod([Volume(name: "app", configMap: ConfigMapVolumeSource(name: "app"))])
            pod.spec.containers[0].volumeMounts = [VolumeMount(name: "app", mountPath: "/etc/a", subPath: "a.conf")]
            let manager = world.manager()
            let volumes = try await manager.mount(pod)
            let points = try await manager.containerMounts(
                pod: pod, container: pod.spec.containers[0], volumes: volumes, environment: [:])
            let point = try #require(points.first)
            #expect(point.isFile && point.readOnly)
            #expect(try FileSystem.readText(point.hostPath) == "1")
            // Bound to one version: updates do not show, as in Kubernetes.
            world.objects.setConfigMap("app", ["a.conf": "2"])
            try await manager.refresh(pod)
            #expect(try FileSystem.readText(point.hostPath) == "1")
            // The next start binds the new version.
            _ = try await manager.containerMounts(
                pod: pod, container: pod.spec.containers[0], volumes: volumes, environment: [:])
            #expect(try FileSystem.readText(point.hostPath) == "2")
        }
    }

    @Test(
        "a subPath that is or may become another place of the host is refused",
        arguments: ["..", "a/../../b", "/etc", "a\0"])
    func escapesByName(_ subPath: String) async throws {
        try await VolumeWorld.with { (world) async throws in
            await #expect {
                _ = try await mounts(world, [VolumeMount(name: "data", mountPath: "/x", subPath: subPath)])
            } throws: {
                ($0 as? VolumeError)?.code == .unsafePath
            }
        }
    }

    @Test(
        "a subPath through a link out of the volume is refused and makes nothing there",
        arguments: ["/", "../../../../../canary", "CANARY"], ["link", "link/made", "link/made/deep"])
    func escapesByLink(_ target: String, _ subPath: String) async throws {
        try await VolumeWorld.with { (world) async throws in
            try FileSystem.makeDirectories(world.root + "/canary")
            _ = try await mounts(world, [])
            _ = try await mounts(world, [VolumeMount(name: "data", mountPath: "/x")])
            let target = target == "CANARY" ? world.root + "/canary" : target
            #expect(symlink(target, volumeDirectory(world) + "/link") == 0)
            await #expect {
                _ = try await mounts(world, [VolumeMount(name: "data", mountPath: "/x", subPath: subPath)])
            } throws: {
                ($0 as? VolumeError)?.code == .unsafePath
            }
            #expect(try FileSystem.list(world.root + "/canary") == [])
            #expect(!FileSystem.exists("/made"))
            #expect(try Mount.points(below: world.root) == [])
        }
    }

    @Test("a link exchanged for a directory while subPaths are bound never leads out of the volume")
    func race() async throws {
        try await VolumeWorld.with { (world) async throws in
            try FileSystem.makeDirectories(world.root + "/canary/sub")
            _ = try await mounts(world, [VolumeMount(name: "data", mountPath: "/x")])
            let volume = volumeDirectory(world)
            try FileSystem.makeDirectories(volume + "/real/sub")
            #expect(symlink(world.root + "/canary", volume + "/link") == 0)
            #expect(symlink("real", volume + "/now") == 0)
            let canary = try fileStatus(world.root + "/canary/sub").st_ino
            let isDone = Flag()
            let pool = KernelThreadPool(threads: 1)
            // Lets "now" stand for the directory and for the link out, in turn.
            async let exchanging: Void = pool.run { () throws(KernelError) in
                var target = "real"
                while !isDone.value.load(ordering: .acquiring) {
                    target = target == "real" ? "link" : "real"
                    try kernelCall("symlink") { symlink(target, volume + "/next") }
                    try kernelCall("rename") { rename(volume + "/next", volume + "/now") }
                }
            }
            defer { isDone.value.store(true, ordering: .releasing) }
            var bound = 0
            var refused = 0
            let mount = VolumeMount(name: "data", mountPath: "/x", subPath: "now/sub")
            for _ in 0..<10_000 where bound < 50 || refused < 50 {
                do {
                    let point = try #require(try await mounts(world, [mount]).first)
                    #expect(try fileStatus(point.hostPath).st_ino != canary)
                    bound += 1
                } catch is VolumeError {
                    refused += 1
                }
            }
            isDone.value.store(true, ordering: .releasing)
            try await exchanging
            #expect(bound >= 50 && refused >= 50, "the exchange was never met: \(bound) bound, \(refused) refused")
            #expect(try FileSystem.list(world.root + "/canary") == ["sub"])
        }
    }

    @Test("subPathExpr is expanded; a missing or empty variable and an escape through a value are refused")
    func subPathExpression() async throws {
        try await VolumeWorld.with { (world) async throws in
            let mount = VolumeMount(name: "data", mountPath: "/x", subPathExpr: "logs/$(POD)")
            let points = try await mounts(world, [mount], environment: ["POD": "web-0"])
            #expect(points.count == 1)
            #expect(FileSystem.exists(volumeDirectory(world) + "/logs/web-0"))
            for environment in [[:], ["POD": ""], ["POD": "../../x"]] {
                await #expect(throws: VolumeError.self) {
                    _ = try await mounts(world, [mount], environment: environment)
                }
            }
        }
    }

    @Test("Bidirectional is for privileged containers only")
    func propagation() async throws {
        try await VolumeWorld.with { (world) async throws in
            let mount = VolumeMount(name: "data", mountPath: "/x", mountPropagation: "Bidirectional")
            #expect(try await mounts(world, [mount], privileged: true).first?.propagation == .bidirectional)
            await #expect(throws: VolumeError.self) { _ = try await mounts(world, [mount]) }
        }
    }

    @Test(
        "a read-only mount is so with all below it unless that is disabled",
        arguments: [(nil, true), ("Enabled", true), ("IfPossible", true), ("Disabled", false)] as [(String?, Bool)])
    func readOnlyBelow(mode: String?, expected: Bool) async throws {
        try await VolumeWorld.with { (world) async throws in
            let mount = VolumeMount(name: "data", readOnly: true, recursiveReadOnly: mode, mountPath: "/x")
            let point = try await mounts(world, [mount]).first
            #expect(point?.readOnly == true)
            #expect(point?.readOnlyBelow == expected)
        }
    }

    @Test(
        "what cannot be honoured is refused",
        arguments: [
            VolumeMount(name: "absent", mountPath: "/x"),
            VolumeMount(name: "data", mountPath: "/x", mountPropagation: "Sideways"),
            VolumeMount(name: "data", mountPath: ""),
        ])
    func refused(_ mount: VolumeMount) async throws {
        try await VolumeWorld.with { (world) async throws in
            await #expect(throws: VolumeError.self) { _ = try await mounts(world, [mount]) }
        }
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}
