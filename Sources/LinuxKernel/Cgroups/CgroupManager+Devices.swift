import CLinux
import Glibc
import SystemPackage

extension CgroupManager {
    /// Limits a cgroup that was just made, and all below it, to these devices: by the devices controller where v1 has it, by a
    /// program on v2 otherwise.
    ///
    /// - Returns: what keeps this host from doing so; nil when it is done.
    /// - Throws: when the host can and it failed. Nothing may run in the cgroup then.
    public func restrictDevices(_ rules: [DeviceRule], of path: String) throws(KernelError) -> CgroupShortfall? {
        let relative = try resolve(path)
        if let mount = hierarchies.v1[.devices] {
            let directory = mount + relative
            try FileSystem.writeKernelFile(directory + "/devices.deny", "a")
            let file = directory + "/devices.allow"
            let allow = try OwnedDescriptor.open(file, O_WRONLY)
            for rule in rules {
                let line = Array(rule.line.utf8)
                try kernelCall("write \"\(rule.line)\" to", file) { write(allow.raw, line, line.count) }
            }
            return nil
        }
        guard let unified = hierarchies.unified else {
            return devicesShortfall("no cgroup hierarchy with the devices controller is mounted")
        }
        guard canRestrictDevices else { return devicesShortfall("the kernel takes no device programs from us") }
        let program = try DeviceProgram(rules).load()
        let cgroup = try OwnedDescriptor.open(unified + relative, O_RDONLY | O_DIRECTORY)
        try kernelCall("bpf(BPF_PROG_ATTACH)", unified + relative) {
            CLinux_bpf_attach_device_program(cgroup.raw, program.raw)
        }
        return nil
    }

    private func devicesShortfall(_ reason: String) -> CgroupShortfall {
        CgroupShortfall(resource: .devices, controller: .devices, reason: reason)
    }

    /// Whether ``restrictDevices(_:of:)`` has something to work with.
    var canRestrictDevices: Bool {
        if hierarchies.v1[.devices] != nil { return true }
        return hierarchies.unified != nil && DeviceProgram.isAvailable
    }
}
