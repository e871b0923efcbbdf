import KubernetesAPI
import Testing

@testable import Volumes

struct ContainerDevicesTests {
    private static let node = VolumeDeviceNode(major: 7, minor: 300, mode: 0o660, groupID: 6)

    private func devices(
        _ path: String, mounts: [VolumeMount] = [], readOnly: Bool = false, volume: String = "disk"
    ) throws(VolumeError) -> [ContainerDevicePoint] {
        let mounted = MountedVolume(
            name: "disk", hostPath: "/dev/loop300", isFile: true, isReadOnly: readOnly, device: Self.node)
        return try ContainerMounts(
            layout: PodVolumeLayout(stateDirectory: "/pods", podUID: "u"),
            container: Container(
                name: "main", volumeMounts: mounts, volumeDevices: [VolumeDevice(name: volume, devicePath: path)]),
            volumes: ["disk": mounted, "files": MountedVolume(name: "files", hostPath: "/x")], environment: [:]
        ).devices()
    }

    @Test("a device is made where the container wants it, as the host has it, and read-only if its claim is")
    func made() throws {
        #expect(
            try devices("/dev//block")
                == [ContainerDevicePoint(containerPath: "/dev/block", node: Self.node, readOnly: false)])
        #expect(try devices("/disks/one", readOnly: true)[0].readOnly)
        #expect(try devices("/data2", mounts: [VolumeMount(name: "files", mountPath: "/data")]).count == 1)
    }

    @Test(
        "a path that leads elsewhere, or into a volume, makes none",
        arguments: ["/dev/../etc/x", "", "/", "/a/.", "/a\0b", "/data/disk", "/data"])
    func refused(path: String) {
        #expect(throws: VolumeError.self) {
            try devices(path, mounts: [VolumeMount(name: "files", mountPath: "/data/")])
        }
    }

    @Test("a volume that is no device, or not there, is none")
    func noDevice() {
        for name in ["files", "other"] {
            let error = #expect(throws: VolumeError.self) { try devices("/dev/x", volume: name) }
            #expect(error?.code == .notFound)
        }
    }
}
