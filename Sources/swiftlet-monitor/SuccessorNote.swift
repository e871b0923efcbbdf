import CLinux
import MonitorCoreEmbedded

/// Where the kernel notes the process that goes on in a launcher's place: memory that only the monitor and the launcher share.
///
/// A launcher that enters a PID namespace stays outside of it itself: whoever waits inside with CAP_SYS_PTRACE would otherwise
/// take over a process that still has the host's rights. It carries out everything there is to do and then clones the process
/// that only calls execve(2), a child of the monitor and the first that is seen inside. By then a seccomp filter is in force, which
/// need not let a message or a descriptor through; the kernel's note of the number needs no system call more.
struct SuccessorNote {
    private let page: UnsafeMutablePointer<pid_t>

    init() throws(SystemError) {
        guard let page = CLinux_map_note() else { throw SystemError.last }
        self.page = page
    }

    /// The successor, which nobody but the monitor can reap; 0 while there is none.
    var pid: Int32 { CLinux_read_note(page) }

    /// The launcher's side, before anything else: what runs inside must not be able to write the note.
    func keepFromSuccessor() throws(SystemError) { try call { CLinux_keep_note(page) } }

    /// Returns in the successor; the launcher ends.
    func succeed() throws(SystemError) {
        if try call({ CLinux_clone_sibling(page) }) != 0 { _exit(0) }
        // A clone has neither of what its launcher had. A filter that forbids them does no harm: whatever outlives the monitor is
        // in the container's cgroup, which the agent ends.
        setsid()
        _ = CLinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
    }

    func forget() { CLinux_unmap_note(page) }
}
