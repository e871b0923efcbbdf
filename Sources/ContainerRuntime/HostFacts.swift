import Glibc
import LinuxKernel
import SystemPackage

/// What a launch plan has to know of this machine.
public struct HostFacts: Hashable, Sendable {
    /// A device node of the host's /dev.
    public struct Device: Hashable, Sendable {
        /// Absolute.
        public var path: String
        /// Type and permissions, as of mknod(2).
        public var mode: UInt32
        public var major: UInt32
        public var minor: UInt32
        public var userID: UInt32
        public var groupID: UInt32

        public init(
            path: String, mode: UInt32, major: UInt32, minor: UInt32, userID: UInt32 = 0, groupID: UInt32 = 0
        ) {
            self.path = path
            self.mode = mode
            self.major = major
            self.minor = minor
            self.userID = userID
            self.groupID = groupID
        }
    }

    /// Hidden beside ``LaunchPlanner/maskedPaths``, because this machine has them.
    public var maskedPaths: [String]
    /// What a privileged container finds in its /dev.
    public var devices: [Device]

    public init(maskedPaths: [String] = [], devices: [Device] = []) {
        self.maskedPaths = maskedPaths
        self.devices = devices
    }

    static func read(for config: ContainerConfig) throws(KernelError) -> HostFacts {
        if config.isSandboxProcess { return HostFacts() }
        return HostFacts(
            maskedPaths: config.privileged || config.isProcUnmasked ? [] : try thermalThrottles(),
            devices: config.privileged ? try DeviceDirectory.devices() : [])
    }

    /// Counters that tell when the other users of a processor were busy.
    private static func thermalThrottles() throws(KernelError) -> [String] {
        let directory = "/sys/devices/system/cpu"
        let processors = try FileSystem.list(directory).filter { name in
            name.hasPrefix("cpu") && name.count > 3 && name.dropFirst(3).allSatisfy(\.isNumber)
        }
        return processors.sorted().map { "\(directory)/\($0)/thermal_throttle" }.filter(FileSystem.exists)
    }
}

/// The host's /dev.
private enum DeviceDirectory {
    /// File systems of their own in every container, or what stands for the host's console.
    private static let skipped: Set<String> = ["pts", "shm", "fd", "mqueue", "console", "ptmx"]
    private static let depthLimit = 8
    private static let countLimit = 8192

    static func devices() throws(KernelError) -> [HostFacts.Device] {
        var found: [HostFacts.Device] = []
        for name in try FileSystem.list("/dev").sorted() where !skipped.contains(name) {
            try collect("/dev/" + name, depth: 0, into: &found)
        }
        return found
    }

    /// makedev(3) the other way round; the kernel's numbers have 12 and 20 bits.
    private static func major(of device: dev_t) -> UInt32 { UInt32(truncatingIfNeeded: device >> 8) & 0xfff }

    private static func minor(of device: dev_t) -> UInt32 {
        UInt32(truncatingIfNeeded: device & 0xff) | UInt32(truncatingIfNeeded: device >> 12) & 0xfff00
    }

    /// Links are not followed: they are another name of a device, or lead out of /dev.
    private static func collect(
        _ path: String, depth: Int, into found: inout [HostFacts.Device]
    ) throws(KernelError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFCHR, S_IFBLK:
            guard found.count < countLimit else {
                throw KernelError("list the devices in", "/dev", errno: .fileTooLarge)
            }
            found.append(
                HostFacts.Device(
                    path: path, mode: status.st_mode, major: major(of: status.st_rdev),
                    minor: minor(of: status.st_rdev), userID: status.st_uid, groupID: status.st_gid))
        case S_IFDIR where depth < depthLimit:
            // A directory may go while it is looked at.
            for name in ((try? FileSystem.list(path)) ?? []).sorted() {
                try collect(path + "/" + name, depth: depth + 1, into: &found)
            }
        default: return
        }
    }
}
