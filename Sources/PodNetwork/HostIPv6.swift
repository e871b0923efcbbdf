import LinuxKernel

/// IPv6 in the calling thread's network namespace, as far as it is settings of the kernel.
public enum HostIPv6 {
    private static let directory = "/proc/sys/net/ipv6/conf"

    /// Whether the kernel has it, and it is switched off neither for all interfaces nor for new ones.
    public static var isEnabled: Bool {
        ["all", "default"].allSatisfy { name in
            (try? FileSystem.readText("\(directory)/\(name)/disable_ipv6"))?.first == "0"
        }
    }

    /// Lets the host pass packets on.
    ///
    /// A kernel that does so stops to listen to routers, and a host that has its address and its way out from them
    /// would lose both. An interface that listens until now is told to go on (accept_ra 2).
    static func enableForwarding() throws(KernelError) {
        // A file that says so already is not written: it may be read-only.
        if try FileSystem.readText(directory + "/all/forwarding").first == "1" { return }
        for name in try FileSystem.list(directory) where name != "all" && name != "default" {
            // An interface that is gone by now needs nothing.
            guard (try? FileSystem.readText("\(directory)/\(name)/forwarding"))?.first == "0",
                (try? FileSystem.readText("\(directory)/\(name)/accept_ra"))?.first == "1"
            else { continue }
            try? FileSystem.writeKernelFile("\(directory)/\(name)/accept_ra", "2")
        }
        try FileSystem.writeKernelFile(directory + "/all/forwarding", "1")
    }

    /// Makes an interface deaf to router advertisements: on the pods' network only a pod could send them, to turn the
    /// host's or its neighbours' packets to itself.
    static func ignoreAdvertisements(on interface: String) {
        let path = "\(directory)/\(interface)/accept_ra"
        // Absent on a kernel without IPv6, where there is nothing to ignore.
        guard let present = try? FileSystem.readText(path), present.first != "0" else { return }
        try? FileSystem.writeKernelFile(path, "0")
    }
}
