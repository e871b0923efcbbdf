import Glibc
import LinuxKernel
import SystemPackage
import Testing

/// The same manager on the cgroups of this host.
@Suite(.tags(.privileged), .enabled(if: isRoot, needsRoot), .serialized) struct CgroupKernelTests {
    @Test("a cgroup is made once, and its limits are what the kernel keeps")
    func limits() throws {
        try withHostCgroups { manager in
            try manager.createIfNeeded("pod")
            try manager.create("pod/c")
            let error = #expect(throws: KernelError.self) { try manager.create("pod/c") }
            #expect(error?.errno == .fileExists)
            let shortfalls = try manager.apply(
                CgroupResources(cpuShares: 512, cpuQuotaMicroseconds: 20_000, memoryLimitBytes: 1 << 25, pidsLimit: 50),
                to: "pod/c")
            let available = manager.capabilities.available
            #expect(shortfalls.allSatisfy { !available.contains($0.controller) })
            if available.contains(.memory) { #expect(try manager.usage("pod/c").memoryLimitBytes == 1 << 25) }
            // Up and down again: on v1 the sum with swap has to give way first.
            for limit in [Int64(1 << 27), 1 << 24, -1] {
                try manager.apply(CgroupResources(memoryLimitBytes: limit), to: "pod/c")
                let expected = limit < 0 ? nil : UInt64(limit)
                if available.contains(.memory) { #expect(try manager.usage("pod/c").memoryLimitBytes == expected) }
            }
            let busy = #expect(throws: KernelError.self) {
                try manager.apply(CgroupResources(cpuQuotaMicroseconds: Int64.max), to: "pod/c")
            }
            #expect(busy?.errno == .invalidArgument, "a limit the kernel refuses is an error")
        }
    }

    @Test("a process joins, is counted, is killed with its cgroup, and the cgroup goes")
    func lifecycle() throws {
        try withHostCgroups { manager in
            try manager.createIfNeeded("pod")
            try manager.create("pod/c")
            let ready = try Pipe()
            let process = try SpawnedProcess(
                in: try manager.joinPoints("pod/c"),
                // Some work, as the kernel books CPU time by the tick.
                "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; "
                    + "echo > /proc/\(getpid())/fd/\(ready.writeEnd.raw); exec sleep 1000")
            try ready.waitForByte()
            #expect(try manager.processes("pod") == [process.pid])
            #expect(try manager.isPopulated("pod/c"))
            let usage = try manager.usage("pod/c")
            #expect((usage.cpuUsageNanoseconds ?? 0) > 0)
            if manager.capabilities.available.contains(.pids) { #expect(usage.pidsCurrent == 1) }
            if manager.capabilities.available.contains(.memory) { #expect((usage.memoryUsageBytes ?? 0) > 0) }
            let error = #expect(throws: KernelError.self) { try manager.remove("pod/c") }
            #expect(error?.errno == .resourceBusy)
            #expect(manager.exists("pod/c"), "the lock is held while a process is in it")
            try manager.kill("pod/c")
            #expect(try process.handle.reap() == .signal(SIGKILL, coreDumped: false))
            #expect(try manager.waitUntilEmpty("pod/c", timeout: .seconds(10)))
            try manager.remove("pod/c")
            #expect(!manager.exists("pod/c"))
        }
    }

    @Test("removing a tree ends every process in it, cgroups made below by the container included")
    func removeTree() throws {
        try withHostCgroups { manager in
            try manager.createIfNeeded("pod")
            try manager.create("pod/c")
            try manager.createIfNeeded("pod/c/inner")
            try manager.create("pod/c/inner/deep")
            let ready = try Pipe()
            let process = try SpawnedProcess(
                in: try manager.joinPoints("pod/c/inner/deep"),
                "sleep 1000 & sleep 1000 & echo > /proc/\(getpid())/fd/\(ready.writeEnd.raw); wait")
            try ready.waitForByte()
            #expect(try manager.processes("pod").count == 3)
            try manager.removeTree("pod")
            #expect(!manager.exists("pod"))
            #expect(try process.handle.waitForEnd(timeout: .seconds(10)))
        }
    }

    @Test("without cgroup.kill the listed processes are killed just as well, forks meanwhile included")
    func killWithoutUnified() throws {
        try withHostCgroups { host in
            guard !host.hierarchies.v1.isEmpty else { return }
            let manager = CgroupManager(
                hierarchies: CgroupHierarchies(unified: nil, v1: host.hierarchies.v1), root: try host.hostRoot + "/v1")
            try manager.createIfNeeded("")
            try manager.create("c")
            try manager.apply(CgroupResources(pidsLimit: 20), to: "c")
            let ready = try Pipe()
            let process = try SpawnedProcess(
                in: try manager.joinPoints("c"),
                "echo > /proc/\(getpid())/fd/\(ready.writeEnd.raw); while :; do (sleep 1000 &) 2>/dev/null; done")
            try ready.waitForByte()
            #expect(try manager.processes("c").contains(process.pid))
            try manager.removeTree("c")
            #expect(!manager.exists("c"))
            #expect(try process.handle.waitForEnd(timeout: .seconds(10)))
        }
    }

    @Test("a process that takes more memory than its limit is killed, and counted as such")
    func outOfMemory() throws {
        try withHostCgroups { manager in
            guard manager.capabilities.available.contains(.memory) else { return }
            try manager.create("c")
            try manager.apply(CgroupResources(memoryLimitBytes: 16 << 20), to: "c")
            let process = try SpawnedProcess(in: try manager.joinPoints("c"), "exec tail /dev/zero")
            #expect(try process.handle.reap() == .signal(SIGKILL, coreDumped: false))
            #expect(try manager.usage("c").oomKills == 1)
            let file = try #require(try manager.oomEventsFile("c"))
            #expect(try FileSystem.readText(file).contains("oom_kill 1\n"))
        }
    }

    @Test("a process beyond the process limit is refused")
    func pidsLimit() throws {
        try withHostCgroups { manager in
            guard manager.capabilities.available.contains(.pids) else { return }
            try manager.create("c")
            try manager.apply(CgroupResources(pidsLimit: 1), to: "c")
            let process = try SpawnedProcess(in: try manager.joinPoints("c"), "/bin/true; exit 7")
            // The shell gives up with 2 when it cannot fork; 7 would mean that it could.
            #expect(try process.handle.reap() == .code(2))
        }
    }

    @Test("a frozen cgroup is killed all the same")
    func frozen() throws {
        try withHostCgroups { manager in
            guard manager.hierarchies.unified != nil else { return }
            try manager.create("c")
            let ready = try Pipe()
            let process = try SpawnedProcess(
                in: try manager.joinPoints("c"), "echo > /proc/\(getpid())/fd/\(ready.writeEnd.raw); exec sleep 1000")
            try ready.waitForByte()
            try manager.setFrozen(true, "c")
            try manager.removeTree("c")
            #expect(try process.handle.reap() == .signal(SIGKILL, coreDumped: false))
        }
    }
}

extension CgroupManager {
    /// The root this manager was made with, found by what it gives for an empty path.
    fileprivate var hostRoot: String {
        get throws {
            let directory = try anchorDirectory("")
            return String(directory.dropFirst((hierarchies.unified ?? hierarchies.v1[.pids] ?? "").count))
        }
    }
}
