import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

@Suite(.enabled(if: isRoot, needsRoot)) struct ProjectedTokenTests {
    private let projection = ServiceAccountTokenProjection(audience: "vault", expirationSeconds: 600, path: "token")

    private func pod(_ world: VolumeWorld, user: Int64? = nil, group: Int64? = nil, mode: Int32? = nil) -> Pod {
        var pod = world.pod(
            [
                Volume(
                    name: "access",
                    projected: ProjectedVolumeSource(
                        sources: [VolumeProjection(serviceAccountToken: projection)], defaultMode: mode))
            ], fsGroup: group)
        pod.spec.containers[0].securityContext = user.map { SecurityContext(runAsUser: $0) }
        pod.spec.serviceAccountName = "robot"
        return pod
    }

    /// Mounts the pod and gives what is known of the token's file.
    private func token(_ world: VolumeWorld, _ pod: Pod) async throws -> (text: String, status: stat) {
        world.objects.setToken(ServiceAccountTokenKey(pod, projection), "secret")
        let volume = try #require(try await world.manager().mount(pod)["access"])
        let file = volume.hostPath + "/..data/token"
        return (try FileSystem.readText(file), try fileStatus(file))
    }

    @Test("a pod without a user of its own shows its token to all, or as its defaultMode says")
    func open() async throws {
        try await VolumeWorld.with { (world) async throws in
            let found = try await token(world, pod(world))
            #expect(found.text == "secret")
            #expect(found.status.st_mode & 0o7777 == 0o644)
        }
        try await VolumeWorld.with { (world) async throws in
            #expect(try await token(world, pod(world, mode: 0o440)).status.st_mode & 0o7777 == 0o440)
        }
    }

    @Test("with one user for all containers the token is that user's alone")
    func user() async throws {
        try await VolumeWorld.with { (world) async throws in
            let found = try await token(world, pod(world, user: 1234))
            #expect(found.status.st_mode & 0o7777 == 0o600)
            #expect(found.status.st_uid == 1234)
        }
        try await VolumeWorld.with { (world) async throws in
            var mixed = pod(world, user: 1234)
            mixed.spec.initContainers = [Container(name: "first")]
            let found = try await token(world, mixed)
            #expect(found.status.st_mode & 0o7777 == 0o644, "two users share it")
            #expect(found.status.st_uid == 0)
        }
    }

    @Test("with a group for its files the token is the group's to read")
    func group() async throws {
        try await VolumeWorld.with { (world) async throws in
            let found = try await token(world, pod(world, group: 77))
            #expect(found.status.st_mode & 0o7777 == 0o640)
            #expect(found.status.st_gid == 77)
        }
    }

    @Test("a new token replaces the old one, and the old one stays while none can be had")
    func renewal() async throws {
        try await VolumeWorld.with { (world) async throws in
            let pod = pod(world)
            let key = ServiceAccountTokenKey(pod, projection)
            world.objects.setToken(key, "first")
            let volume = try #require(try await world.manager().mount(pod)["access"])
            world.objects.setToken(key, "second")
            try await world.manager().refresh(pod)
            #expect(try FileSystem.readText(volume.hostPath + "/token") == "second")
            world.objects.setToken(key, nil)
            try await world.manager().refresh(pod)
            #expect(try FileSystem.readText(volume.hostPath + "/token") == "second")
        }
    }

    @Test("the key says whose token, for whom, for how long and bound to which pod")
    func key() async throws {
        try await VolumeWorld.with { (world) async throws in
            let key = ServiceAccountTokenKey(pod(world), projection)
            #expect(key.namespace == "shop" && key.serviceAccount == "robot" && key.podName == "web")
            #expect(key.podUID == "uid-1" && key.audience == "vault" && key.expirationSeconds == 600)
            var plain = pod(world)
            plain.spec.serviceAccountName = nil
            let other = ServiceAccountTokenKey(plain, ServiceAccountTokenProjection(path: "t"))
            #expect(other.serviceAccount == "default" && other.audience == nil && other.expirationSeconds == 3600)
        }
    }
}
