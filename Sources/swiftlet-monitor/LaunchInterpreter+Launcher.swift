import CLinux
import MonitorCoreEmbedded

/// What a launcher does beside its steps: it enters a PID namespace that is there already, and is never seen in it.
extension LaunchInterpreter {
    /// Before the first step.
    mutating func beginLaunch(of steps: [LaunchStep]) throws(SystemError) {
        try note?.keepFromSuccessor()
        guard case .sharing(let pidFD) = entry else { return }
        let usesUserNamespace = steps.contains { step in
            if case .openUserNamespace = step { true } else { false }
        }
        // In a user namespace of their own those inside have no power over a process of the host's.
        if !usesUserNamespace { lentProc = try lendProc(of: pidFD) }
        // For children only.
        try call { CLinux_setns(pidFD, Int32(CLONE_NEWPID)) }
        // /proc shows the PID namespace of whoever mounts it: without one to borrow it has to be done inside.
        if lentProc < 0 { try appear() }
    }

    /// From the launcher to its successor; nothing in any other process.
    mutating func appear() throws(SystemError) {
        guard let note else { return }
        try note.succeed()
        self.note = nil
        if controlsTerminal { try call { CLinux_terminal_control(0) } }
    }

    /// A launcher has no place in the container's /proc: it asks for a profile first, by the host's.
    func order(of steps: [LaunchStep], isLauncher: Bool) -> [Int] {
        var order = [Int](steps.indices)
        guard isLauncher else { return order }
        for index in steps.indices {
            guard case .appArmorProfile = steps[index] else { continue }
            order.remove(at: index)
            order.insert(index, at: 0)
            return order
        }
        return order
    }

    func enterContainer(_ types: UInt32) throws(SystemError) {
        guard case .execution(let initPidFD) = entry else { throw SystemError(EINVAL) }
        try call { CLinux_setns(initPidFD, Int32(bitPattern: types) | Int32(CLONE_NEWPID)) }
    }

    /// A copy of the mount that the process has at /proc, if that is a /proc; else -1. Nothing that is mounted over parts of it
    /// comes along.
    private func lendProc(of pidFD: Int32) throws(SystemError) -> Int32 {
        let own = Descriptor(owning: try call { CLinux_open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC, 0) })
        let directory = Descriptor(owning: try call { CLinux_open(".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0) })
        // The descriptor of a namespace alone, as an agent of before would pass it, leads to no mounts.
        if CLinux_setns(pidFD, Int32(CLONE_NEWNS)) != 0 { return -1 }
        let tree = copyOfProc()
        let (ownNamespace, ownDirectory) = (own.raw, directory.raw)
        try call { CLinux_setns(ownNamespace, Int32(CLONE_NEWNS)) }
        try call { fchdir(ownDirectory) }
        return tree
    }

    private func copyOfProc() -> Int32 {
        let flags = UInt64(UInt32(bitPattern: O_PATH | O_DIRECTORY | O_CLOEXEC))
        let place = Descriptor(
            owning: Int32(truncatingIfNeeded: CLinux_openat2(AT_FDCWD, "/proc", flags, 0, CLinux_RESOLVE_NO_SYMLINKS)))
        if place.raw < 0 { return -1 }
        var status = stat()
        guard CLinux_is_proc(place.raw) == 1, fstat(place.raw, &status) == 0, UInt(status.st_ino) == Self.procRootInode
        else { return -1 }
        return CLinux_open_tree(
            place.raw, "", CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC | CLinux_AT_EMPTY_PATH)
    }
}
