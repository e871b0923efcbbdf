import CLinux
import MonitorCoreEmbedded

extension LaunchInterpreter {
    /// The first inode of every proc file system, as the kernel numbers it.
    static var procRootInode: UInt { 1 }

    /// By the container's own /proc (a launcher's: the host's), over which an image or a volume may have laid something: what looks like the kernel's file and
    /// is another would leave the container without its profile.
    func setAppArmorProfile(_ name: CString) throws(SystemError) {
        let proc = Descriptor(owning: try call { CLinux_open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0) })
        let raw = proc.raw
        var status = stat()
        try call { fstat(raw, &status) }
        guard CLinux_is_proc(raw) == 1, UInt(status.st_ino) == Self.procRootInode else { throw SystemError(EXDEV) }
        let file = Descriptor(owning: try openAttribute(in: raw))
        var command: [UInt8] = [0x65, 0x78, 0x65, 0x63, 0x20]  // "exec "
        command += name.text
        try writeAll(file.raw, command)
    }

    /// Kernels before 5.1 have only the file that all security modules share.
    private func openAttribute(in proc: Int32) throws(SystemError) -> Int32 {
        do { return try openBelow(proc, CString(terminated: "thread-self/attr/apparmor/exec")) } catch {
            if error.errno != ENOENT { throw error }
        }
        return try openBelow(proc, CString(terminated: "thread-self/attr/exec"))
    }

    private func openBelow(_ proc: Int32, _ path: CString) throws(SystemError) -> Int32 {
        let flags = UInt64(UInt32(bitPattern: O_WRONLY | O_CLOEXEC))
        let resolve = CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_XDEV | CLinux_RESOLVE_NO_MAGICLINKS
        return try call { path.withPointer { CLinux_openat2(proc, $0, flags, 0, resolve) } }
    }
}
