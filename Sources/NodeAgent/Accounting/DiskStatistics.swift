import LinuxKernel

/// A line of /proc/diskstats.
struct DiskStatistics {
    var usage: CgroupUsage.DeviceIO
    /// `sda`, below /dev.
    var name: String

    /// Disks, and not their partitions or what is made of them (device mapper, loops, RAM disks): every byte once.
    var isWhole: Bool {
        for prefix in ["loop", "ram", "zram", "dm-", "md", "sr", "fd"] where name.hasPrefix(prefix) { return false }
        if name.hasPrefix("nvme") || name.hasPrefix("mmcblk") {
            // nvme0n1p2: the partition's number follows a `p`.
            guard let p = name.lastIndex(of: "p"), p != name.startIndex else { return true }
            return !name[name.index(after: p)...].allSatisfy(\.isNumber)
        }
        return name.last?.isNumber != true
    }

    /// Major, minor, name, reads, merged, sectors read, ms, writes, merged, sectors written, …; a sector is 512 bytes.
    static func parse(_ text: String) -> [DiskStatistics] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 10, let major = UInt32(fields[0]), let minor = UInt32(fields[1]) else { return nil }
            let numbers = fields[3..<10].map { UInt64($0) ?? 0 }
            var usage = CgroupUsage.DeviceIO(major: major, minor: minor)
            usage.reads = numbers[0]
            usage.readBytes = numbers[2] &* 512
            usage.writes = numbers[4]
            usage.writtenBytes = numbers[6] &* 512
            return DiskStatistics(usage: usage, name: String(fields[2]))
        }
    }
}
