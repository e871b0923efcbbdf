import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

@Suite struct HostPathPluginTests {
    private func mount(
        _ world: VolumeWorld, _ path: String, _ type: String?, rules: [String: HostPathAccess] = [:]
    ) throws(VolumeError) -> MountedVolume {
        let source = HostPathVolumeSource(path: path, type: type)
        let pod = world.pod([Volume(name: "host", hostPath: source)])
        return try HostPathPlugin(source: source).mount(
            VolumeContext(
                pod: pod, volumeName: "host", fieldPath: "spec.volumes[0]", directory: world.pods + "/unused",
                objects: PodObjects(), nodeAllocatable: [:], hostPaths: HostPathRules(rules: rules)))
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

    @Test("where the path leads is what the policy is asked about, and what is mounted")
    func links() async throws {
        try await VolumeWorld.with { (world) async throws in
            try FileSystem.makeDirectories(world.root + "/real/sub")
            #expect(symlink("real", world.root + "/link") == 0)
            let mounted = try mount(world, world.root + "/link/./sub/", nil)
            #expect(mounted.hostPath == world.root + "/real/sub")
            #expect(mounted.forbidsLinks && !mounted.isReadOnly)
            #expect(throws: VolumeError.self) {
                try mount(world, world.root + "/link", nil, rules: [world.root + "/real": .none])
            }
            // The rule is about the name of the link, and the link leads elsewhere.
            #expect(throws: Never.self) {
                try mount(world, world.root + "/link/sub", nil, rules: [world.root + "/link": .none])
            }
            let readable = try mount(world, world.root + "/link/sub", nil, rules: [world.root + "/real": .readOnly])
            #expect(readable.isReadOnly)
        }
    }

    @Test("nothing is made where the policy gives nothing, or only reading, or through a link")
    func forbiddenCreation() async throws {
        try await VolumeWorld.with { (world) async throws in
            try FileSystem.makeDirectories(world.root + "/real")
            #expect(symlink("real", world.root + "/link") == 0)
            #expect(symlink("missing", world.root + "/dangling") == 0)
            for (access, type) in [
                (HostPathAccess.none, "DirectoryOrCreate"), (.readOnly, ""), (.none, "FileOrCreate"),
            ] {
                #expect {
                    try mount(world, world.root + "/link/new", type, rules: [world.root + "/real": access])
                } throws: { ($0 as? VolumeError)?.code == .unsafePath }
            }
            #expect(throws: VolumeError.self) { try mount(world, world.root + "/dangling", nil) }
            #expect(throws: VolumeError.self) { try mount(world, world.root + "/dangling/sub", nil) }
            #expect(throws: VolumeError.self) { try mount(world, world.root + "/dangling", "FileOrCreate") }
            #expect(try FileSystem.list(world.root + "/real") == [])
            #expect(!FileSystem.exists(world.root + "/missing"))
            #expect(try !mount(world, world.root + "/link/new/deep", nil).isFile)
            #expect(try mode(world.root + "/real/new") == 0o755)
        }
    }

    @Test("links of procfs lead nowhere")
    func magicLinks() async throws {
        try await VolumeWorld.with { (world) async throws in
            #expect(symlink("/proc/self/root/etc", world.root + "/magic") == 0)
            #expect(throws: VolumeError.self) { try mount(world, world.root + "/magic", nil) }
        }
    }

    @Test("a volume manager without a guard mounts no host path")
    func noGuard() async throws {
        try await VolumeWorld.with { (world) async throws in
            let pod = world.pod([Volume(name: "host", hostPath: HostPathVolumeSource(path: world.root))])
            let manager = VolumeManager(
                stateDirectory: world.pods, objects: world.objects, nodeAllocatable: { [:] })
            await #expect { _ = try await manager.mount(pod) } throws: { ($0 as? VolumeError)?.code == .unsafePath }
        }
    }

    @Test("a host path whose file system says nothing is not looked at, and its pod is told")
    func silence() async throws {
        try await VolumeWorld.with { (world) async throws in
            try world.write("helper", "#!/bin/sh\ncase $2 in *silent) exec sleep 1000 ;; esac\n")
            #expect(chmod(world.root + "/helper", 0o755) == 0)
            let manager = VolumeManager(
                stateDirectory: world.pods, objects: world.objects, nodeAllocatable: { [:] },
                hostPaths: HostPathRules(),
                helper: FileSystemHelper(program: world.root + "/helper", timeout: .milliseconds(200)))
            let source = HostPathVolumeSource(path: world.root + "/silent", type: "DirectoryOrCreate")
            let silent = world.pod([Volume(name: "host", hostPath: source)])
            await #expect {
                _ = try await manager.mount(silent)
            } throws: {
                let error = $0 as? VolumeError
                return error?.code == .sourceUnavailable && error?.volume == "host"
                    && error?.message.hasPrefix("\(world.root)/silent does not answer") == true
            }
            #expect(!FileSystem.exists(world.root + "/silent"))
            let loud = world.pod([Volume(name: "host", hostPath: HostPathVolumeSource(path: world.root))], uid: "uid-2")
            let volumes = try await manager.mount(loud)
            #expect(volumes["host"]?.mayHang == true)
            #expect(
                try await manager.containerMounts(
                    pod: loud, container: loud.spec.containers[0], volumes: volumes, environment: [:]
                ).count == 1)
            let stale = ["host": MountedVolume(name: "host", hostPath: world.root + "/silent", mayHang: true)]
            await #expect(throws: VolumeError.self) {
                _ = try await manager.containerMounts(
                    pod: loud, container: loud.spec.containers[0], volumes: stale, environment: [:])
            }
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
