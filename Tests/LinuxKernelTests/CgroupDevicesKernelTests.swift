import Glibc
import LinuxKernel
import Testing

/// Devices in cgroups of this host, by whatever it has.
@Suite(.tags(.privileged), .enabled(if: isRoot, needsRoot), .serialized) struct CgroupDevicesKernelTests {
    /// What becomes of opening /dev/null, and a node of 1:11 (the messages of the kernel), in a cgroup with these rules.
    private func outcome(_ manager: CgroupManager, _ rules: [DeviceRule]) throws -> Int32 {
        try manager.createIfNeeded("pod")
        try manager.create("pod/c")
        let shortfall = try manager.restrictDevices(rules, of: "pod/c")
        #expect(shortfall == nil)
        // Bits: null can be read (1), a node can be made (2), and be opened (4).
        let node = "/tmp/swiftlet-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let process = try SpawnedProcess(
            in: try manager.joinPoints("pod/c"),
            "s=0; (: < /dev/null) && s=1; mknod \(node) c 1 11 && s=$((s+2)); (: < \(node)) && s=$((s+4)); "
                + "rm -f \(node); exit $s")
        let end = try process.handle.reap()
        #expect(try manager.waitUntilEmpty("pod/c", timeout: .seconds(10)))
        try manager.remove("pod/c")
        guard case .code(let code) = end else { return -1 }
        return code
    }

    @Test("a container's cgroup lets standard devices be used and others only be made")
    func containerDefault() throws {
        try withHostCgroups { manager in
            let result1 = try outcome(manager, DeviceRule.containerDefault)
            #expect(result1 == 1 + 2)
            let result2 = try outcome(manager, [])
            #expect(result2 == 0)
            // So that the answers above are those of the list.
            let result3 = try outcome(manager, [DeviceRule(.character)])
            #expect(result3 == 1 + 2 + 4)
        }
    }

    @Test("the same by a program on the unified hierarchy, where v1 has no devices controller")
    func program() throws {
        try withHostCgroups { manager in
            guard let unified = manager.hierarchies.unified else { return }
            let name = "swiftlet-test-devices-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
            let unifiedOnly = CgroupManager(hierarchies: CgroupHierarchies(unified: unified), root: "/" + name)
            defer { try? unifiedOnly.removeTree("") }
            guard unifiedOnly.capabilities.available.contains(.devices) else { return }
            let result4 = try outcome(unifiedOnly, DeviceRule.containerDefault)
            #expect(result4 == 1 + 2)
            let result5 = try outcome(unifiedOnly, [])
            #expect(result5 == 0)
            let result6 = try outcome(unifiedOnly, [DeviceRule(.character)])
            #expect(result6 == 1 + 2 + 4)
            try unifiedOnly.remove("pod")
        }
    }

    @Test("a host without either says so")
    func neither() throws {
        try withHostCgroups { manager in
            var hierarchies = manager.hierarchies
            hierarchies.v1[.devices] = nil
            hierarchies.unified = nil
            let bare = CgroupManager(hierarchies: hierarchies, root: "/swiftlet-test-none")
            let shortfall = try bare.restrictDevices(DeviceRule.containerDefault, of: "c")
            #expect(shortfall?.controller == .devices)
            #expect(shortfall?.description.contains("the list of devices is not enforced") == true)
        }
    }
}
