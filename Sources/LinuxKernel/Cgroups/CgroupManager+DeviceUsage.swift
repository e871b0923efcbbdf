/// What cgroups used of disks and of huge pages.
extension CgroupManager {
    /// v2 tells all in one file; v1 in two, and only for cgroups of the blkio hierarchy, the throttling layer's being
    /// those that every scheduler and stacked device passes.
    func readIO(
        _ directory: borrowing OwnedDescriptor, _ relative: String, isUnified: Bool, _ usage: inout CgroupUsage
    ) throws(KernelError) {
        if let mount = hierarchies.v1[.io] {
            let files = mount + relative + "/blkio.throttle."
            var devices: [CgroupUsage.DeviceIO] = []
            let bytes: Void? = try CgroupFile.read(files + "io_service_bytes_recursive") { text in
                Self.parseV1IO(text, into: &devices, read: \.readBytes, write: \.writtenBytes)
            }
            guard bytes != nil else { return }
            _ = try CgroupFile.read(files + "io_serviced_recursive") { text in
                Self.parseV1IO(text, into: &devices, read: \.reads, write: \.writes)
            }
            usage.io = devices
        } else if isUnified, unifiedControllers.contains(.io) {
            usage.io = try CgroupFile.read("io.stat", in: directory.raw, Self.parseIOStat)
        }
    }

    /// `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`, a line per device.
    static func parseIOStat(_ bytes: UnsafeRawBufferPointer) -> [CgroupUsage.DeviceIO] {
        var devices: [CgroupUsage.DeviceIO] = []
        for line in bytes.split(separator: 0x0A) {
            let fields = line.split(separator: 0x20)
            guard let first = fields.first, var device = device(first) else { continue }
            for field in fields.dropFirst() {
                guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let key = CgroupFile.Key(bytes: UnsafeRawBufferPointer(rebasing: field[..<equals]))
                let digits = UnsafeRawBufferPointer(rebasing: field[(equals + 1)...])
                guard let value = CgroupFile.number(digits) else { continue }
                switch key {
                case "rbytes": device.readBytes = value
                case "wbytes": device.writtenBytes = value
                case "rios": device.reads = value
                case "wios": device.writes = value
                default: break
                }
            }
            devices.append(device)
        }
        return devices
    }

    /// `8:0 Read 4096`, a line per device and operation; `Total` lines repeat what the others say.
    private static func parseV1IO(
        _ bytes: UnsafeRawBufferPointer, into devices: inout [CgroupUsage.DeviceIO],
        read: WritableKeyPath<CgroupUsage.DeviceIO, UInt64>, write: WritableKeyPath<CgroupUsage.DeviceIO, UInt64>
    ) {
        for line in bytes.split(separator: 0x0A) {
            let fields = line.split(separator: 0x20)
            guard fields.count == 3, let device = device(fields[0]),
                let value = CgroupFile.number(UnsafeRawBufferPointer(rebasing: fields[2]))
            else { continue }
            let index: Int
            if let known = devices.firstIndex(where: { $0.major == device.major && $0.minor == device.minor }) {
                index = known
            } else {
                index = devices.count
                devices.append(device)
            }
            switch CgroupFile.Key(bytes: UnsafeRawBufferPointer(rebasing: fields[1])) {
            case "Read": devices[index][keyPath: read] = value
            case "Write": devices[index][keyPath: write] = value
            default: break
            }
        }
    }

    /// `major:minor`.
    private static func device(_ text: Slice<UnsafeRawBufferPointer>) -> CgroupUsage.DeviceIO? {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")),
            let major = CgroupFile.number(UnsafeRawBufferPointer(rebasing: text[..<colon])),
            let minor = CgroupFile.number(UnsafeRawBufferPointer(rebasing: text[(colon + 1)...]))
        else { return nil }
        return CgroupUsage.DeviceIO(
            major: UInt32(truncatingIfNeeded: major), minor: UInt32(truncatingIfNeeded: minor))
    }

    /// Every size is a file of its own.
    func readHugePages(
        _ directory: borrowing OwnedDescriptor, _ relative: String, isUnified: Bool,
        sizes: [(bytes: UInt64, name: String)] = HugePageSizes.onThisHost, _ usage: inout CgroupUsage
    ) throws(KernelError) {
        for (bytes, name) in sizes {
            let used: UInt64?
            if let mount = hierarchies.v1[.hugetlb] {
                used = try CgroupFile.readNumber(mount + relative + "/hugetlb.\(name).usage_in_bytes")
            } else if isUnified, unifiedControllers.contains(.hugetlb) {
                used = try CgroupFile.readNumber("hugetlb.\(name).current", in: directory.raw)
            } else {
                return
            }
            if let used, used > 0 { usage.hugePageBytes[bytes] = used }
        }
    }
}

/// The sizes of huge pages of which this host has set some aside. Of the others nothing can be used, so nothing is read.
enum HugePageSizes {
    /// Size in bytes, and as cgroup files name it (`2MB`).
    static var onThisHost: [(bytes: UInt64, name: String)] { sizes }

    private static let sizes: [(bytes: UInt64, name: String)] = {
        let directory = "/sys/kernel/mm/hugepages"
        let names = (try? FileSystem.list(directory)) ?? []
        return names.compactMap { name -> (bytes: UInt64, name: String)? in
            guard let kibibytes = UInt64(name.drop { !$0.isNumber }.prefix { $0.isNumber }),
                (try? CgroupFile.readNumber("\(directory)/\(name)/nr_hugepages")).flatMap({ $0 }) ?? 0 > 0
            else { return nil }
            return (kibibytes << 10, kibibytes >= 1 << 20 ? "\(kibibytes >> 20)GB" : "\(kibibytes >> 10)MB")
        }
        .sorted { $0.bytes < $1.bytes }
    }()
}
