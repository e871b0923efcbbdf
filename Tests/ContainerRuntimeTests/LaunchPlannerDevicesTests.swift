import Glibc
import LinuxKernel
import MonitorCore
import Testing

@testable import ContainerRuntime

struct LaunchPlannerDevicesTests {
    private static let disk = ContainerDevice(
        containerPath: "/disks/one", major: 7, minor: 300, mode: 0o660, groupID: 6, readOnly: true)

    private static func text(_ string: CString) -> String { String(decoding: string.text, as: UTF8.self) }

    @Test("a block device is a node of the host's kind and owner, below a directory that is made for it")
    func node() throws {
        let steps = try LaunchPlanner.steps(for: [Self.disk], hasUserNamespace: false)
        try #require(steps.count == 3)
        guard case .makeDirectory(let parent) = steps[0], case .deviceNode(let path, let mode, 7, 300) = steps[1],
            case .changeOwner(let owned, 0, 6) = steps[2]
        else {
            Issue.record("\(steps)")
            return
        }
        #expect(Self.text(parent) == "/disks")
        #expect(Self.text(path) == "/disks/one")
        #expect(Self.text(owned) == "/disks/one")
        #expect(mode == S_IFBLK | 0o660)
    }

    @Test("nobody in a user namespace gets one")
    func userNamespace() {
        let error = #expect(throws: RuntimeError.self) {
            try LaunchPlanner.steps(for: [Self.disk], hasUserNamespace: true)
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("the cgroup lets it be read, and written unless it is read-only")
    func rules() {
        #expect(Self.disk.rule == DeviceRule(.block, major: 7, minor: 300, access: [.read]))
        var writable = Self.disk
        writable.readOnly = false
        #expect(writable.rule == DeviceRule(.block, major: 7, minor: 300))
    }
}
