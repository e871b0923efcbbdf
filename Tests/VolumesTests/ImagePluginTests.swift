import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

@Suite("Image volumes")
struct ImagePluginTests {
    private static func pod() -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: "web", namespace: "default", uid: "uid-1"))
        pod.spec.volumes = [Volume(name: "files", image: ImageVolumeSource(reference: "example.org/files:1"))]
        var container = Container(name: "main")
        container.volumeMounts = [VolumeMount(name: "files", mountPath: "/files")]
        pod.spec.containers = [container]
        return pod
    }

    private static func layer(_ directory: String, _ files: [String: String]) throws -> String {
        try FileSystem.makeDirectories(directory, mode: 0o755)
        for (name, text) in files {
            try FileSystem.writeAtomically("\(directory)/\(name)", Array(text.utf8), mode: 0o755, durable: false)
        }
        return directory
    }

    @Test(
        "layers show as one tree that nobody can write to or run from, and the image is known to be in use",
        .enabled(if: isRoot, needsRoot))
    func layers() async throws {
        try await VolumeWorld.with { world in
            let lower = try Self.layer(world.root + "/lower", ["a": "old", "b": "b"])
            let upper = try Self.layer(world.root + "/upper", ["a": "new"])
            let manager = world.manager()
            let image = VolumeImage(id: "sha256:1", lowerDirectories: [upper, lower])
            let volume = try #require(try await manager.mount(Self.pod(), images: ["files": image])["files"])
            #expect(volume.isReadOnly)
            #expect(try FileSystem.readText(volume.hostPath + "/a") == "new")
            #expect(try FileSystem.readText(volume.hostPath + "/b") == "b")
            #expect(open(volume.hostPath + "/c", O_WRONLY | O_CREAT, 0o600) == -1 && errno == EROFS)
            var status = statvfs()
            #expect(statvfs(volume.hostPath, &status) == 0)
            let flags = UInt(MS_RDONLY | MS_NOEXEC | MS_NOSUID | MS_NODEV)
            #expect(UInt(status.f_flag) & flags == flags)
            #expect(try await manager.imageIDs() == ["sha256:1"])
            // Mounted, it stays what it is, also for an agent that finds another image under the name.
            let other = VolumeImage(id: "sha256:2", lowerDirectories: [lower])
            _ = try await world.manager().mount(Self.pod(), images: ["files": other])
            #expect(try FileSystem.readText(volume.hostPath + "/a") == "new")
            try await manager.unmount(podUID: "uid-1")
            #expect(try await manager.imageIDs().isEmpty)
            #expect(try FileSystem.readText(upper + "/a") == "new")
        }
    }

    @Test("one layer will do, and as many as an image can have", .enabled(if: isRoot, needsRoot))
    func counts() async throws {
        try await VolumeWorld.with { world in
            var layers: [String] = []
            for number in 0..<127 {
                layers.append(try Self.layer("\(world.root)/layer-\(number)", ["file-\(number)": "\(number)"]))
            }
            for lowers in [[layers[0]], layers] {
                let manager = world.manager()
                let image = VolumeImage(id: "sha256:1", lowerDirectories: lowers)
                let volume = try #require(try await manager.mount(Self.pod(), images: ["files": image])["files"])
                #expect(try FileSystem.list(volume.hostPath).count == lowers.count)
                try await manager.unmount(podUID: "uid-1")
            }
        }
    }

    @Test("without its image the volume is not mounted")
    func absent() async throws {
        try await VolumeWorld.with { world in
            let error = await #expect(throws: VolumeError.self) { try await world.manager().mount(Self.pod()) }
            #expect(error?.code == .notFound)
        }
    }
}
