/// Whether weights of disks have an effect on this host: the kernel takes them, and does nothing with them unless a scheduler or
/// the cost model of a disk shares its time by them.
public struct IOWeightSupport: Hashable, Sendable {
    public var hasController: Bool
    /// By disk, as /sys/block/…/queue/scheduler has it: `mq-deadline [bfq] none`.
    public var schedulers: [String: String]
    /// `io.cost.qos` of the root: a line per disk, `8:0 enable=1 ctrl=auto …`.
    public var costModel: String

    public init(hasController: Bool, schedulers: [String: String] = [:], costModel: String = "") {
        self.hasController = hasController
        self.schedulers = schedulers
        self.costModel = costModel
    }

    /// Asks the kernel.
    public static func read(_ cgroups: CgroupManager) -> IOWeightSupport {
        var support = IOWeightSupport(hasController: cgroups.capabilities.available.contains(.io))
        for disk in (try? FileSystem.list("/sys/block")) ?? [] {
            support.schedulers[disk] = try? FileSystem.readText("/sys/block/\(disk)/queue/scheduler", limit: 4096)
        }
        if let root = cgroups.hierarchies.unified {
            support.costModel = (try? FileSystem.readText(root + "/io.cost.qos", limit: 64 << 10)) ?? ""
        }
        return support
    }

    /// One line, and what to do about it; nil when weights do something on a disk at least.
    public var problem: (text: String, fix: String)? {
        guard hasController else {
            return (
                "no cgroup hierarchy has the io controller: ioWeights do nothing",
                "use a kernel with CONFIG_BLK_CGROUP, and delegate io to this cgroup"
            )
        }
        let isScheduled = schedulers.values.contains { $0.split(whereSeparator: \.isWhitespace).contains("[bfq]") }
        let isModelled = costModel.split(separator: "\n").contains { $0.split(separator: " ").contains("enable=1") }
        guard !isScheduled, !isModelled else { return nil }
        return (
            "no disk shares its time by weights: ioWeights do nothing",
            "echo bfq > /sys/block/DISK/queue/scheduler, or enable io.cost.qos of the disk in the root cgroup"
        )
    }
}
