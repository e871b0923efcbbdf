import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

@Suite(.enabled(if: isRoot, needsRoot)) struct ProvisionedVolumesTests {
    @Test("a volume goes with all that is in it; nothing a link in it leads to does, and a second time is fine")
    func remove() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volumes = ProvisionedVolumes(claimsDirectory: world.root + "/volumes")
            try volumes.remove("pvc-1")
            let path = volumes.path(of: "pvc-1")
            try FileSystem.makeDirectories(path + "/deep/er")
            try FileSystem.makeDirectories(volumes.path(of: "pvc-2"))
            try FileSystem.makeDirectories(world.root + "/other")
            try world.write("other/precious", "1")
            #expect(symlink(world.root + "/other", path + "/deep/link") == 0)
            try volumes.remove("pvc-1")
            #expect(!FileSystem.exists(path))
            #expect(FileSystem.exists(world.root + "/other/precious"))
            #expect(FileSystem.exists(volumes.path(of: "pvc-2")))
            try volumes.remove("pvc-1")
        }
    }

    @Test("a link in the volume's place goes, and nothing behind it")
    func exchanged() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volumes = ProvisionedVolumes(claimsDirectory: world.root + "/volumes")
            try FileSystem.makeDirectories(world.root + "/volumes/.provisioned")
            try FileSystem.makeDirectories(world.root + "/other")
            try world.write("other/precious", "1")
            #expect(symlink(world.root + "/other", volumes.path(of: "pvc-1")) == 0)
            try volumes.remove("pvc-1")
            #expect(try FileSystem.list(world.root + "/volumes/.provisioned") == [])
            #expect(FileSystem.exists(world.root + "/other/precious"))
        }
    }

    @Test("a volume with something mounted in it stays as it is, and the mount too")
    func mounted() async throws {
        try await VolumeWorld.with { (world) async throws in
            let volumes = ProvisionedVolumes(claimsDirectory: world.root + "/volumes")
            let path = volumes.path(of: "pvc-1")
            try FileSystem.makeDirectories(path + "/disk")
            try FileSystem.writeAtomically(path + "/kept", [1], durable: false)
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: path + "/disk", flags: 0, options: "size=64k")
            try FileSystem.writeAtomically(path + "/disk/file", [1], durable: false)
            #expect(throws: VolumeError.self) { try volumes.remove("pvc-1") }
            #expect(FileSystem.exists(path + "/disk/file") && FileSystem.exists(path + "/kept"))
            try Mount.unmount(path + "/disk")
            try volumes.remove("pvc-1")
            #expect(!FileSystem.exists(path))
        }
    }

    @Test("only names of volumes are removed", arguments: ["", ".", "..", ".provisioned", "a/b", "../x"])
    func names(name: String) {
        let volumes = ProvisionedVolumes(claimsDirectory: "/nonexistent")
        #expect(throws: VolumeError.self) { try volumes.remove(name) }
    }

    @Test("a volume is this node's own only where it would have made it, and when it says so")
    func owns() {
        let volumes = ProvisionedVolumes(claimsDirectory: "/v")
        func volume(_ path: String, by provisioner: String?) -> PersistentVolume {
            PersistentVolume(
                metadata: ObjectMeta(
                    name: "pvc-1", annotations: provisioner.map { ["pv.kubernetes.io/provisioned-by": $0] }),
                spec: PersistentVolumeSpec(local: LocalVolumeSource(path: path)))
        }
        #expect(volumes.owns(volume("/v/.provisioned/pvc-1", by: "swiftlet.dev/local")))
        #expect(!volumes.owns(volume("/v/.provisioned/pvc-2", by: "swiftlet.dev/local")))
        #expect(!volumes.owns(volume("/v/.provisioned/pvc-1", by: nil)))
        #expect(!volumes.owns(volume("/v/.provisioned/pvc-1", by: "another")))
    }
}
