import Glibc
import LinuxKernel

/// Proportional set sizes: shared pages count by share, so that the sum over all processes is what the machine gives.
enum NodeMemory {
    /// The agent's, and each of its monitors'.
    static func rows(agent: pid_t, pods: Int) throws -> [MeasureRow] {
        let count = pods == 1 ? "1 pod" : "\(pods) pods"
        var rows = [
            MeasureRow("memory (PSS), \(count)", "swiftlet", .mebibytes, Samples([try mebibytes(agent)]))
        ]
        let monitors = try self.monitors(of: agent)
        if !monitors.isEmpty {
            let sizes = Samples(try monitors.map { try mebibytes($0) })
            // Alone, one pays for the program's pages that many share.
            let goal = pods > 1 ? 0.1 : nil
            rows.append(MeasureRow("memory (PSS), \(count)", "each monitor", .mebibytes, sizes, goal: goal))
        }
        return rows
    }

    /// The proportional set size of a process.
    static func mebibytes(_ pid: pid_t) throws -> Double {
        let text = try FileSystem.readText("/proc/\(pid)/smaps_rollup")
        for line in text.split(separator: "\n") where line.hasPrefix("Pss:") {
            if let kibibytes = Double(line.dropFirst(4).split(separator: " ").first ?? "") { return kibibytes / 1024 }
        }
        throw BenchmarkError("/proc/\(pid)/smaps_rollup has no Pss line")
    }

    /// The sum over processes. One that the agent is just starting still runs in the agent's own memory, which counts once.
    static func mebibytes(_ processes: [pid_t], of agent: pid_t) -> Double {
        let own = auxiliaryVector(agent)
        // One that ends meanwhile has none.
        return processes.filter { $0 == agent || auxiliaryVector($0) != own }.reduce(0) {
            $0 + ((try? mebibytes($1)) ?? 0)
        }
    }

    /// It has random addresses, so it is another after each execve(2).
    private static func auxiliaryVector(_ pid: pid_t) -> [UInt8]? {
        try? FileSystem.read("/proc/\(pid)/auxv", limit: 1 << 16)
    }

    /// The monitors are the agent's children; what they started is not.
    private static func monitors(of agent: pid_t) throws(KernelError) -> [pid_t] {
        try FileSystem.list("/proc").compactMap { Int32($0) }.filter { pid in
            // One that ends meanwhile is none.
            guard let status = try? ProcFS.status(of: pid) else { return false }
            return status.parent == agent && status.command.hasPrefix("swiftlet-mon")
        }
    }
}
