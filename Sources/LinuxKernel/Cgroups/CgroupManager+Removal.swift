import CLinux
import Glibc
import SystemPackage

extension CgroupManager {
    /// Removes an empty cgroup and the cgroups below it, deepest first, from all hierarchies. The anchor goes last:
    /// while anything of the cgroup is left its name is taken. EBUSY when processes are in it; an absent cgroup is
    /// fine.
    public func remove(_ path: String) throws(KernelError) {
        let relative = try resolve(path)
        guard !relative.isEmpty else { throw KernelError("remove cgroup", "/", errno: .invalidArgument) }
        _ = try requireAnchor()
        for mount in mountsAnchorLast { try removeDirectory(mount + relative) }
    }

    private func removeDirectory(_ directory: String) throws(KernelError) {
        if rmdir(directory) == 0 { return }
        let failure = Errno.current
        switch failure {
        case .noSuchFileOrDirectory: return
        // The kernel says EBUSY for processes and for children alike.
        case .resourceBusy, .directoryNotEmpty:
            do {
                let opened = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
                try removeChildren(of: opened, path: directory, depth: 0)
            } catch  where error.errno == .noSuchFileOrDirectory {
                return
            }
            if rmdir(directory) != 0, Errno.current != .noSuchFileOrDirectory {
                throw KernelError.last("rmdir", directory)
            }
        default: throw KernelError("rmdir", directory, errno: failure)
        }
    }

    private func removeChildren(
        of directory: borrowing OwnedDescriptor, path: String, depth: Int
    ) throws(KernelError) {
        guard depth < Self.depthLimit else { throw KernelError("rmdir", path, errno: .resourceBusy) }
        for name in try CgroupFile.childNames(of: directory) {
            if unlinkat(directory.raw, name, AT_REMOVEDIR) == 0 { continue }
            do {
                let child = try directory.open(name, O_RDONLY | O_DIRECTORY)
                try removeChildren(of: child, path: path + "/" + name, depth: depth + 1)
            } catch  where error.errno == .noSuchFileOrDirectory {
                continue
            }
            let failed = unlinkat(directory.raw, name, AT_REMOVEDIR) != 0 && Errno.current != .noSuchFileOrDirectory
            if failed { throw KernelError.last("rmdir", path + "/" + name) }
        }
    }

    /// Kills everything in the cgroup and below it, waits for the end of the processes, and removes it all. Blocks up
    /// to `timeout` and then throws EBUSY: a process in uninterruptible sleep cannot be killed before its call returns.
    public func removeTree(_ path: String, timeout: Duration = .seconds(10)) throws(KernelError) {
        let relative = try resolve(path)
        let deadline = ContinuousClock.now + timeout
        var rounds = 0
        while true {
            do {
                try remove(path)
                return
            } catch  where error.errno == .resourceBusy {
                if ContinuousClock.now >= deadline { throw error }
            }
            try kill(path)
            if rounds > 0 {
                // Empty in the anchor and still busy: a process left the anchor by itself, or one is about to be gone.
                try killListed(relative)
                pause(milliseconds: 1)
            }
            rounds += 1
            _ = try waitUntilEmpty(path, timeout: deadline - .now)
        }
    }

    /// Waits until no process is left in the cgroup and below it; `false` when the time is over first. On v2 and hybrid
    /// hosts it sleeps until the kernel reports it, on v1, which reports nothing, it looks again every few
    /// milliseconds.
    public func waitUntilEmpty(_ path: String, timeout: Duration) throws(KernelError) -> Bool {
        let relative = try resolve(path)
        let deadline = ContinuousClock.now + timeout
        if let unified = hierarchies.unified {
            return try waitForEvent(unified + relative + "/cgroup.events", until: deadline)
        }
        var interval: Int32 = 1
        while try isPopulated(path) {
            if ContinuousClock.now >= deadline { return false }
            pause(milliseconds: interval)
            interval = min(20, interval * 2)
        }
        return true
    }

    private func waitForEvent(_ file: String, until deadline: ContinuousClock.Instant) throws(KernelError) -> Bool {
        do {
            let events = try OwnedDescriptor.open(file, O_RDONLY)
            while true {
                // Reading arms the notification: a change after it ends the poll.
                try kernelCall("lseek", file) { lseek(events.raw, 0, SEEK_SET) }
                let bytes = try events.readAll(limit: 4096)
                if bytes.withUnsafeBytes(Self.populated) != true { return true }
                let remaining = deadline - .now
                guard remaining > .zero else { return false }
                var entry = pollfd(fd: events.raw, events: Int16(POLLPRI), revents: 0)
                try kernelCall("poll", file) { poll(&entry, 1, remaining.pollMilliseconds) }
            }
        } catch {
            if CgroupFile.isAbsent(error.errno) { return true }
            throw error
        }
    }

    private func pause(milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }
}

extension Duration {
    /// For poll(2) and epoll_wait(2): rounded up, so that a wait never turns into a busy loop; bounded.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        if seconds < 0 { return 0 }
        if seconds >= 1_000_000 { return 1_000_000_000 }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
