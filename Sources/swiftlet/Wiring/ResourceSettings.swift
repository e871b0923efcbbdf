import KubernetesAPI
import LinuxKernel
import NodeAgent

/// The node's settings about resources after flags, configuration file and defaults.
struct ResourceSettings: Sendable {
    var policy = ResourcePolicy()
    var reservation = NodeReservation()
    var enforcesAllocatable = true

    /// Those that containers need on this host besides the usual ones.
    func additionalControllers(on hierarchies: CgroupHierarchies) -> [CgroupController] {
        (policy.pinsProcessors ? [.cpuset] : [])
            + (HugePagePool.discover().contains(where: \.isUsable) ? [.hugetlb] : [])
            + (policy.ioWeights != nil || Self.accountsDisks(hierarchies) ? [.io] : [])
    }

    /// Since Linux 6.9 v1 counts only what it throttles; then a cgroup there would cost time and tell nothing. The root has used a
    /// disk before any node starts.
    private static func accountsDisks(_ hierarchies: CgroupHierarchies) -> Bool {
        guard let mount = hierarchies.v1[.io] else { return false }
        return (try? FileSystem.readText(mount + "/blkio.throttle.io_service_bytes"))?.contains(":") == true
    }

    init(_ options: ResourceOptions, _ file: ConfigurationFile) throws {
        reservation.system = try Self.reserved(
            options.systemReserved, "--system-reserved", try file.texts("systemReserved"), file)
        reservation.agent = try Self.reserved(
            options.kubeReserved, "--kube-reserved", try file.texts("kubeReserved"), file)
        let enforced =
            try options.enforceNodeAllocatable?.split(separator: ",").map(String.init)
            ?? file.list("enforceNodeAllocatable") ?? ["pods"]
        guard enforced.allSatisfy({ $0 == "pods" || $0 == "none" }), enforced.count <= 1 else {
            throw SettingError(
                "--enforce-node-allocatable \(enforced.joined(separator: ",")): expected pods or none; cgroups of the "
                    + "system are not swiftlet's")
        }
        enforcesAllocatable = enforced == ["pods"]
        let pids = try options.podMaxPids ?? file.integer("podPidsLimit") ?? 4096
        guard pids != 0, pids >= -1 else {
            throw SettingError("--pod-max-pids \(pids): expected a number of processes, or -1 for no limit")
        }
        policy.podPidsLimit = pids > 0 ? Int64(pids) : nil
        policy.enforcesCPULimits = try options.cpuCfsQuota ?? file.flag("cpuCFSQuota") ?? true
        policy.killsWholeContainer = try !(file.flag("singleProcessOOMKill") ?? false)
        try setProcessors(options, file)
        try checkReservation()
        policy.swap = try Self.swap(file)
        policy.memoryQuality = try Self.memoryQuality(file)
        policy.ioWeights = try Self.ioWeights(file)
        if try options.failSwapOn ?? file.flag("failSwapOn") ?? false, let swap = try? ProcFS.memory().swapTotalBytes,
            swap > 0
        {
            throw SettingError(
                "--fail-swap-on true: this machine has \(swap >> 20) MiB of swap: swapoff -a, or give false (pods do "
                    + "not swap unless memorySwap says so)")
        }
    }

    private mutating func setProcessors(_ options: ResourceOptions, _ file: ConfigurationFile) throws {
        let name = try options.cpuManagerPolicy ?? file.text("cpuManagerPolicy") ?? "none"
        guard name == "none" || name == "static" else {
            throw SettingError("--cpu-manager-policy \(name): expected none or static")
        }
        let topology = CPUTopology.discover()
        if let text = try options.reservedCPUs ?? file.text("reservedSystemCPUs"), !text.isEmpty {
            guard let given = CPUSet(parsing: text), given.isSubset(of: topology.all) else {
                throw SettingError(
                    "--reserved-cpus \(text): expected processors of this machine, which has \(topology.all)")
            }
            policy.reservedProcessors = given
            reservation.system["cpu"] = .cores(Int64(given.count))
            reservation.agent["cpu"] = nil
        }
        guard name == "static" else { return }
        let milli = reservation.amount("cpu").milliValue
        guard milli > 0 else {
            throw SettingError(
                "--cpu-manager-policy static: needs processors for the system: give --reserved-cpus, such as 0, or a "
                    + "cpu amount in --system-reserved")
        }
        let capabilities = CgroupManager(hierarchies: try CgroupHierarchies.discover(), root: "/").capabilities
        guard capabilities.available.contains(.cpuset) else {
            throw SettingError(
                "--cpu-manager-policy static: this host has no cpuset controller: mount or delegate it, or give none")
        }
        policy.pinsProcessors = true
        if policy.reservedProcessors.isEmpty {
            let count = Int(min(Int64(topology.all.count), (milli - 1) / 1000 + 1))
            policy.reservedProcessors = CPUAssignment.reserve(count, of: topology)
        }
    }

    /// Pods would be held to nothing at all.
    private func checkReservation() throws {
        guard enforcesAllocatable, let total = try? ProcFS.memory().totalBytes else { return }
        let reserved = reservation.amount("memory").value
        if reserved > 0, UInt64(clamping: reserved) >= total {
            throw SettingError(
                "--system-reserved and --kube-reserved: \(reserved >> 20) MiB of memory are more than the "
                    + "\(total >> 20) MiB of this machine")
        }
    }

    private static func reserved(
        _ flag: String?, _ name: String, _ field: [String: String]?, _ file: ConfigurationFile
    ) throws -> [String: Quantity] {
        do throws(ReservationError) {
            if let flag { return try NodeReservation.parse(flag) }
            return try NodeReservation.parse(field ?? [:])
        } catch { throw SettingError("\(name): \(error)") }
    }

    private static func swap(_ file: ConfigurationFile) throws -> ResourcePolicy.SwapBehavior {
        let given = try file.texts("memorySwap") ?? [:]
        if let unknown = given.keys.first(where: { $0 != "swapBehavior" }) {
            throw SettingError("memorySwap.\(unknown): unknown; known: swapBehavior")
        }
        let text = given["swapBehavior"] ?? ""
        guard let behavior = ResourcePolicy.SwapBehavior(rawValue: text.isEmpty ? "NoSwap" : text) else {
            throw SettingError("memorySwap.swapBehavior \(text): expected NoSwap or LimitedSwap")
        }
        return behavior
    }

    private static func ioWeights(_ file: ConfigurationFile) throws -> ResourcePolicy.IOWeights? {
        guard let given = try file.texts("ioWeights") else { return nil }
        var weights = ResourcePolicy.IOWeights()
        let fields: [String: WritableKeyPath<ResourcePolicy.IOWeights, UInt64>] = [
            "guaranteed": \.guaranteed, "burstable": \.burstable, "bestEffort": \.bestEffort,
        ]
        for (name, text) in given.sorted(by: { $0.key < $1.key }) {
            guard let field = fields[name] else {
                throw SettingError("ioWeights.\(name): unknown; known: bestEffort, burstable, guaranteed")
            }
            guard let weight = UInt64(text), (1...10_000).contains(weight) else {
                throw SettingError("ioWeights.\(name) \(text): expected a weight from 1 to 10000, such as 100")
            }
            weights[keyPath: field] = weight
        }
        return weights
    }

    /// Off unless one of its fields is given.
    private static func memoryQuality(_ file: ConfigurationFile) throws -> ResourcePolicy.MemoryQuality? {
        let factor = try file.number("memoryThrottlingFactor")
        let reservation = try file.text("memoryReservationPolicy")
        guard factor != nil || reservation != nil else { return nil }
        if let factor, !(factor > 0 && factor <= 1) {
            throw SettingError("memoryThrottlingFactor \(factor): expected a number above 0 and up to 1, such as 0.9")
        }
        guard let policy = reservation, policy != "None" else {
            return ResourcePolicy.MemoryQuality(throttlingFactor: factor ?? 0.9)
        }
        guard policy == "TieredReservation" else {
            throw SettingError("memoryReservationPolicy \(policy): expected None or TieredReservation")
        }
        return ResourcePolicy.MemoryQuality(throttlingFactor: factor ?? 0.9, reservesMemory: true)
    }
}
