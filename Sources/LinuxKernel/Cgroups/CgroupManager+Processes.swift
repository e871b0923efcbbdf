import CLinux
import Glibc
import SystemPackage

extension CgroupManager {
    /// Cgroups nested deeper than this below one of ours are left alone (EBUSY when it is removed): only a container
    /// with a writable cgroup mount can make them, and each level costs the walk a descriptor.
    static let depthLimit = 128

    /// Processes in the cgroup and below it, in no order. None when it does not exist.
    public func processes(_ path: String) throws(KernelError) -> [Int32] {
        try processes(in: try anchorDirectory(path))
    }

    /// Whether any process is in the cgroup or below it.
    public func isPopulated(_ path: String) throws(KernelError) -> Bool {
        let relative = try resolve(path)
        if let unified = hierarchies.unified, let populated = try populated(unified + relative + "/cgroup.events") {
            return populated
        }
        for mount in mountsAnchorLast where try !processes(in: mount + relative).isEmpty { return true }
        return false
    }

    private func populated(_ events: String) throws(KernelError) -> Bool? {
        try CgroupFile.read(events, Self.populated) ?? nil
    }

    static func populated(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        var populated: Bool?
        CgroupFile.forEachEntry(bytes) { key, value in
            if case "populated" = key { populated = value != 0 }
        }
        return populated
    }

    // MARK: Killing

    /// Sends SIGKILL to every process in the cgroup and below it, also to those forked meanwhile. Returns when the
    /// signals are sent; ``waitUntilEmpty(_:timeout:)`` tells when they are gone. An absent cgroup is fine.
    public func kill(_ path: String) throws(KernelError) {
        let relative = try resolve(path)
        if let unified = hierarchies.unified {
            do {
                try FileSystem.writeKernelFile(unified + relative + "/cgroup.kill", "1")
                return
            } catch {
                // Absent before Linux 5.14; EOPNOTSUPP in a threaded cgroup.
                guard CgroupFile.isAbsent(error.errno) else { throw error }
            }
        }
        try killListed(relative)
    }

    /// The loop for kernels without `cgroup.kill`. Forks are refused meanwhile, so that it ends.
    func killListed(_ relative: String) throws(KernelError) {
        let limitFile = carrier(of: .pids).map { $0.mount + relative + "/pids.max" }
        let limit = try limitFile.flatMap { file throws(KernelError) in try CgroupFile.readWords(file)?.first }
        if let limitFile, limit != nil { try? FileSystem.writeKernelFile(limitFile, "0") }
        defer {
            if let limitFile, let limit { try? FileSystem.writeKernelFile(limitFile, limit) }
        }
        for _ in 0..<100 {
            var found = false
            for mount in mountsAnchorLast {
                if try killOnce(mount + relative) { found = true }
            }
            if !found { return }
        }
    }

    /// Signals the processes listed now; `false` when there are none left that have not been signalled.
    private func killOnce(_ directory: String) throws(KernelError) -> Bool {
        let listed = try processes(in: directory)
        if listed.isEmpty { return false }
        var signalled = false
        for pid in listed where pid != getpid() {
            guard let process = try? PidFD.open(pid) else { continue }
            // The descriptor was opened after the listing: a number reused in between is not in the cgroup.
            guard isMember(pid, of: directory) else { continue }
            if (try? process.send(SIGKILL)) == true { signalled = true }
        }
        // A killed process stays listed until it is through with exiting: give it the processor.
        if signalled { sched_yield() }
        return signalled
    }

    private func isMember(_ pid: Int32, of directory: String) -> Bool {
        (try? processes(in: directory))?.contains(pid) ?? false
    }

    /// SIGSTOP without a signal: freezes or thaws everything below (v2 and hybrid only; ENOTSUP on v1).
    public func setFrozen(_ frozen: Bool, _ path: String) throws(KernelError) {
        guard let unified = hierarchies.unified else { throw KernelError("freeze", path, errno: .notSupported) }
        try FileSystem.writeKernelFile(try unified + resolve(path) + "/cgroup.freeze", frozen ? "1" : "0")
    }

    // MARK: Listing

    func processes(in directory: String) throws(KernelError) -> [Int32] {
        var found: [Int32] = []
        do {
            let opened = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
            try collectProcesses(in: opened, into: &found, depth: 0)
        } catch {
            if CgroupFile.isAbsent(error.errno) { return found }
            throw error
        }
        return found
    }

    private func collectProcesses(
        in directory: borrowing OwnedDescriptor, into found: inout [Int32], depth: Int
    ) throws(KernelError) {
        do {
            let file = try directory.open("cgroup.procs", O_RDONLY)
            let bytes = try file.readAll(limit: 64 << 20)
            for line in bytes.split(separator: 0x0A) {
                // 0 stands for a process of a foreign pid namespace: nothing that could be signalled (and kill(0) is
                // us).
                if let pid = Int32(String(decoding: line, as: UTF8.self)), pid > 0 { found.append(pid) }
            }
        } catch {
            // Threaded cgroups have no such list (EOPNOTSUPP): their processes are in the list of the threaded root.
            guard CgroupFile.isAbsent(error.errno) else { throw error }
        }
        guard depth < Self.depthLimit else { return }
        for name in try CgroupFile.childNames(of: directory) {
            do {
                let child = try directory.open(name, O_RDONLY | O_DIRECTORY)
                try collectProcesses(in: child, into: &found, depth: depth + 1)
            } catch {
                guard CgroupFile.isAbsent(error.errno) else { throw error }
            }
        }
    }
}
