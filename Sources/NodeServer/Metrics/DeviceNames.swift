import LinuxKernel
import Synchronization

/// Names of block devices, asked of the kernel once: `8:0` is `/dev/sda`.
final class DeviceNames: Sendable {
    private let names = Mutex<[UInt64: String]>([:])
    private let directory: String

    init(directory: String = "/sys/dev/block") { self.directory = directory }

    /// The numbers themselves where the device has gone.
    subscript(major: UInt32, minor: UInt32) -> String {
        let key = UInt64(major) << 32 | UInt64(minor)
        if let known = names.withLock({ $0[key] }) { return known }
        let target = FileSystem.linkTarget("\(directory)/\(major):\(minor)")
        let name = target?.split(separator: "/").last.map { "/dev/" + $0 } ?? "\(major):\(minor)"
        names.withLock { $0[key] = name }
        return name
    }
}
