import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

/// Whose the files are that the node makes for a pod with a user namespace.
@Suite(.enabled(if: isRoot, needsRoot)) struct VolumeOwnershipTests {
    private static func ids() throws -> IDRange { try #require(IDRange(first: 131_072, count: 65_536)) }

    private static func isOwned(_ path: String, by user: UInt32, _ group: UInt32) throws -> Bool {
        let status = try fileStatus(path)
        return status.st_uid == user && status.st_gid == group
    }

    private static let memory = Volume(name: "ram", emptyDir: EmptyDirVolumeSource(medium: "Memory"))
    private static let disk = Volume(name: "disk", emptyDir: EmptyDirVolumeSource())
    private static let secret = Volume(name: "key", secret: SecretVolumeSource(secretName: "key", defaultMode: 0o400))
    private static let settings = Volume(name: "app", configMap: ConfigMapVolumeSource(name: "app"))

    @Test("what is in memory has the pod's own ids, what is on disk the host's, and each says so")
    func media() async throws {
        let ids = try Self.ids()
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            world.objects.setConfigMap("app", ["a": "1"])
            let pod = world.pod([Self.memory, Self.disk, Self.secret, Self.settings])
            let volumes = try await world.manager().mount(pod, ids: ids)
            for name in ["ram", "key"] {
                let volume = try #require(volumes[name])
                #expect(volume.hasPodIDs)
                #expect(try Self.isOwned(volume.hostPath, by: 131_072, 131_072))
            }
            for name in ["disk", "app"] {
                let volume = try #require(volumes[name])
                #expect(!volume.hasPodIDs)
                #expect(try Self.isOwned(volume.hostPath, by: 0, 0))
            }
            let key = try #require(volumes["key"]).hostPath
            for path in ["", "/token", "/..data", "/..data/token", "/..data/."] {
                #expect(try Self.isOwned(key + path, by: 131_072, 131_072), "\(path)")
            }
            #expect(try mode(key + "/..data/token") == 0o400, "no group that reads it without fsGroup")
        }
    }

    @Test("a refresh keeps the owner, and writes nothing when nothing changed")
    func refresh() async throws {
        let ids = try Self.ids()
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            let pod = world.pod([Self.secret])
            let path = try #require(try await world.manager().mount(pod, ids: ids)["key"]).hostPath
            let version = FileSystem.linkTarget(path + "/..data")
            try await world.manager().refresh(pod, ids: ids)
            #expect(FileSystem.linkTarget(path + "/..data") == version)
            world.objects.setSecret("key", ["token": "y", "new": "z"])
            try await world.manager().refresh(pod, ids: ids)
            for name in ["/..data/token", "/..data/new", "/new"] {
                #expect(try Self.isOwned(path + name, by: 131_072, 131_072), "\(name)")
            }
        }
    }

    @Test("fsGroup is a group of the pod's ids in memory, and refused beyond them")
    func group() async throws {
        let ids = try Self.ids()
        try await VolumeWorld.with { (world) async throws in
            world.objects.setSecret("key", ["token": "x"])
            let volumes = try await world.manager().mount(
                world.pod([Self.memory, Self.secret, Self.disk], fsGroup: 2000), ids: ids)
            #expect(try Self.isOwned(try #require(volumes["ram"]).hostPath, by: 131_072, 133_072))
            #expect(try Self.isOwned(try #require(volumes["disk"]).hostPath, by: 0, 2000))
            let token = try #require(volumes["key"]).hostPath + "/..data/token"
            #expect(try Self.isOwned(token, by: 131_072, 133_072))
            #expect(try mode(token) == 0o440)
            let beyond = world.pod([Self.memory], uid: "uid-2", fsGroup: 65_536)
            let error = await #expect(throws: VolumeError.self) { try await world.manager().mount(beyond, ids: ids) }
            #expect(error?.code == .invalid)
            #expect(error?.description.contains("fsGroup 65536") == true)
        }
    }

    @Test("directories made for a subPath belong to whom the volume does")
    func subPath() async throws {
        let ids = try Self.ids()
        try await VolumeWorld.with { (world) async throws in
            var pod = world.pod([Self.memory])
            let mounts = [VolumeMount(name: "ram", mountPath: "/x", subPath: "made/here")]
            pod.spec.containers[0].volumeMounts = mounts
            let volumes = try await world.manager().mount(pod, ids: ids)
            let points = try await world.manager().containerMounts(
                pod: pod, container: pod.spec.containers[0], volumes: volumes, environment: [:])
            let ram = try #require(volumes["ram"]).hostPath
            #expect(try Self.isOwned(ram + "/made", by: 131_072, 131_072))
            #expect(try Self.isOwned(ram + "/made/here", by: 131_072, 131_072))
            #expect(points.map(\.hasPodIDs) == [true])
        }
    }
}
