import KubernetesAPI
import LinuxKernel
import Testing

@testable import Volumes

struct DriverVolumeTests {
    private static func volume(_ source: JSONValue) -> PersistentVolume {
        var volume = PersistentVolume(
            spec: PersistentVolumeSpec(accessModes: ["ReadWriteOncePod"]))
        volume.spec.csi = source
        volume.spec.volumeMode = "Block"
        volume.spec.mountOptions = ["noatime"]
        return volume
    }

    @Test("a volume of the API's is read with its secrets and attributes")
    func reading() throws {
        let read = try #require(
            DriverVolume(
                Self.volume([
                    "driver": "d.example.org", "volumeHandle": "h/1", "readOnly": true, "fsType": "ext4",
                    "volumeAttributes": ["a": "b"], "nodeStageSecretRef": ["name": "s", "namespace": "n"],
                ])))
        #expect(read.driver == "d.example.org")
        #expect(read.handle == "h/1")
        #expect(read.readOnly)
        #expect(read.isBlock)
        #expect(read.fileSystem == "ext4")
        #expect(read.attributes == ["a": "b"])
        #expect(read.mountOptions == ["noatime"])
        #expect(read.stageSecret == ObjectReference(namespace: "n", name: "s"))
        #expect(read.publishSecret == nil)
    }

    @Test(
        "one without a driver, with a name that is a path, or without a handle is none",
        arguments: [
            ["volumeHandle": "h"], ["driver": "d"], ["driver": "../d", "volumeHandle": "h"],
            ["driver": ".d", "volumeHandle": "h"], ["driver": "d", "volumeHandle": ""],
        ] as [JSONValue])
    func refused(source: JSONValue) {
        #expect(DriverVolume(Self.volume(source)) == nil)
    }

    @Test("handles are any text, and never the same file, nor a path")
    func names() {
        let handles = ["a/b", "a%2fb", "..", "a.b", "a_b", "ä", "a b", "a\nb"]
        let names = handles.map(HandleName.of)
        #expect(Set(names).count == handles.count)
        #expect(names.allSatisfy { !$0.contains("/") && !$0.hasPrefix(".") })
        #expect(HandleName.of("pvc-1_x") == "pvc-1_x")
    }

    @Test("what a driver is told of the access depends on what it can tell apart")
    func capability() {
        var volume = DriverVolume(driver: "d", handle: "h")
        volume.fileSystem = "xfs"
        func bytes(_ capabilities: Set<StorageDriver.Capability>) -> [UInt8] {
            StorageDriver(name: "d", endpoint: "/s", capabilities: capabilities).capability(volume, group: 7).bytes
        }
        // mount { fs_type: "xfs" } access_mode { mode: SINGLE_NODE_WRITER }
        #expect(bytes([]) == [0x12, 5, 0x0A, 3, 0x78, 0x66, 0x73, 0x1A, 2, 0x08, 1])
        // ... volume_mount_group: "7", SINGLE_NODE_MULTI_WRITER
        #expect(
            bytes([.volumeMountGroup, .singleNodeMultiWriter])
                == [0x12, 8, 0x0A, 3, 0x78, 0x66, 0x73, 0x1A, 1, 0x37, 0x1A, 2, 0x08, 7])
        volume.isBlock = true
        volume.accessModes = ["ReadOnlyMany"]
        #expect(bytes([]) == [0x0A, 0, 0x1A, 2, 0x08, 3])
    }

    @Test("a pod whose driver is not there waits, and one that no driver was ever asked for goes")
    func withoutDriver() async throws {
        try await VolumeWorld.with { (world) async throws in
            let pod = world.pod([Volume(name: "v", csi: CSIVolumeSource(driver: "d.example.org"))])
            let none = await #expect(throws: VolumeError.self) { try await world.manager().mount(pod) }
            #expect(none?.code == .unsupported)
            try await world.manager().removePodDirectory(podUID: "uid-1")
        }
    }

    @Test("figures of a volume are read by their unit; none without bytes")
    func statistics() throws {
        func usage(_ unit: UInt64, _ available: UInt64, _ total: UInt64, _ used: UInt64) -> ProtobufMessage {
            var message = ProtobufMessage()
            message.add(1, available)
            message.add(2, total)
            message.add(3, used)
            message.add(4, unit)
            return message
        }
        func read(_ usages: ProtobufMessage...) throws -> FileSystemUsage? {
            var answer = ProtobufMessage()
            for usage in usages { answer.add(1, usage) }
            return FileSystemUsage(volumeStats: try #require(ProtobufFields(answer.bytes)))
        }
        let full = try read(usage(2, 90, 100, 10), usage(1, 700, 1000, 300))
        #expect(
            full
                == FileSystemUsage(
                    capacityBytes: 1000, availableBytes: 700, usedBytes: 300, inodes: 100, freeInodes: 90))
        #expect(try read(usage(2, 90, 100, 10)) == nil)
        let negative = UInt64(bitPattern: -5)
        #expect(try read(usage(1, negative, 1000, 300))?.availableBytes == 0)
    }
}
