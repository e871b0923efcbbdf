import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// The clocks of a measure.
enum ResourceUsage {
    /// CPU time of this process and of every child it has reaped, in milliseconds.
    static var cpuMilliseconds: Double { cpuMilliseconds(of: 0) + cpuMilliseconds(of: -1) }

    /// `RUSAGE_SELF` is 0, `RUSAGE_CHILDREN` -1; Swift sees them as an enumeration or not, depending on the C library's headers.
    private static func cpuMilliseconds(of who: Int32) -> Double {
        var usage = rusage()
        getrusage(.init(who), &usage)
        return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)
    }

    private static func milliseconds(_ time: timeval) -> Double {
        Double(time.tv_sec) * 1000 + Double(time.tv_usec) / 1000
    }

    /// Nanoseconds since the epoch: what log lines carry.
    static var wallNanoseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    static func milliseconds(from start: Int64, to end: Int64) -> Double { Double(end - start) / 1_000_000 }

    /// CPU time a process of one thread has used so far, in milliseconds, at the scheduler's resolution.
    static func cpuMilliseconds(ofThread pid: pid_t) throws(KernelError) -> Double {
        let text = try FileSystem.readText("/proc/\(pid)/schedstat", limit: 4096)
        guard let nanoseconds = Double(text.prefix { $0 != " " }) else {
            throw KernelError("parse", "/proc/\(pid)/schedstat", errno: .invalidArgument)
        }
        return nanoseconds / 1_000_000
    }

    /// CPU time a process has used so far, in milliseconds, at the kernel's 10 ms resolution.
    static func cpuMilliseconds(ofProcess pid: pid_t) throws(KernelError) -> Double {
        let text = try FileSystem.readText("/proc/\(pid)/stat", limit: 1 << 16)
        let fields = text.drop { $0 != ")" }.split(separator: " ")
        // Behind the name's parenthesis: utime and stime are fields 14 and 15 of proc_pid_stat(5).
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw KernelError("parse", "/proc/\(pid)/stat", errno: .invalidArgument)
        }
        return (user + system) * 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
