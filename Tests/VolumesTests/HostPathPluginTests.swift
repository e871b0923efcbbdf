import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

@Suite struct HostPathPluginTests {
    private func mount(_ world: VolumeWorld, _ path: String, _ type: String?) throws(VolumeError) -> MountedVolume {
        let source = HostPathVolumeSource(path: path, type: type)
        let pod = world.pod([Volume(name: "host", hostPath: source)])
        return try HostPathPlugin(source: source).mount(
            VolumeContext(
                pod: pod, volumeName: "host", fieldPath: "spec.volumes[0]", directory: world.pods + "/unused",
                objects: PodObjects(), nodeAllocatable: [:]))
    }

    @Test("missing paths are made where the type says so")
    func creation() async throws {
        try await VolumeWorld.with { (world) async throws in
            #expect(try !mount(world, world.root + "/made/deep", "DirectoryOrCreate").isFile)
            #expect(try mode(world.root + "/made/deep") == 0o755)
            #expect(try mount(world, world.root + "/file", "FileOrCreate").isFile)
            #expect(try mode(world.root + "/file") == 0o644)
            #expect(try !mount(world, world.root + "/any", nil).isFile)
            #expect(throws: VolumeError.self) { try mount(world, world.root + "/absent/file", "FileOrCreate") }
            #expect(!FileSystem.exists(world.root + "/absent"))
        }
    }

    @Test("types that match, links followed")
    func matches() async throws {
        try await VolumeWorld.with { (world) async throws in
            try world.write("file", "x")
            #expect(symlink(world.root + "/file", world.root + "/link") == 0)
            #expect(try mount(world, world.root + "/link", "File").isFile)
            #expect(try mount(world, world.root + "/file", "FileOrCreate").isFile)
            #expect(try FileSystem.readText(world.root + "/file") == "x")
            #expect(try !mount(world, world.root, "Directory").isFile)
            #expect(try mount(world, "/dev/null", "CharDevice").isFile)
            #expect(try mount(world, "/dev/null", "").isFile)
        }
    }

    @Test(
        "types that do not match, or are not there, are named",
        arguments: [
            ("Directory", "a directory"), ("DirectoryOrCreate", "a directory"), ("Socket", "a socket file"),
            ("CharDevice", "a character device"), ("BlockDevice", "a block device"),
        ])
    func mismatches(_ type: String, _ expected: String) async throws {
        try await VolumeWorld.with { (world) async throws in
            try world.write("x", "")
            let message = "hostPath type check failed: \(world.root)/x is not \(expected)"
            #expect(throws: VolumeError(.hostPathCheckFailed, message)) { try mount(world, world.root + "/x", type) }
            guard type != "DirectoryOrCreate" else { return }
            let absent = "hostPath type check failed: \(world.root)/y is not \(expected)"
            #expect(throws: VolumeError(.hostPathCheckFailed, absent)) { try mount(world, world.root + "/y", type) }
            #expect(!FileSystem.exists(world.root + "/y"))
        }
    }

    @Test("a directory is no file")
    func directoryIsNoFile() async throws {
        try await VolumeWorld.with { (world) async throws in
            for type in ["File", "FileOrCreate"] {
                let message = "hostPath type check failed: \(world.pods) is not a file"
                #expect(throws: VolumeError(.hostPathCheckFailed, message)) { try mount(world, world.pods, type) }
            }
        }
    }

    @Test(
        "relative paths, paths with .. and unknown types are refused", arguments: ["relative", "/a/../b", "", "/a\0b"])
    func refused(_ path: String) async throws {
        try await VolumeWorld.with { (world) async throws in
            #expect { try mount(world, path, nil) } throws: { ($0 as? VolumeError)?.code == .invalid }
            #expect { try mount(world, "/tmp", "Dir") } throws: { ($0 as? VolumeError)?.code == .invalid }
        }
    }
}
