import CLinux
import MonitorCoreEmbedded

extension LaunchInterpreter {
    /// Whoever reads and writes the terminal gets its master over standard input, which it then replaces.
    mutating func openTerminal() throws(SystemError) {
        // What lies there is the container's: no link is followed, nothing waited for, and it must be what it should be.
        let flags = O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let master = Descriptor(owning: try call { CLinux_open("/dev/pts/ptmx", flags, 0) })
        let raw = master.raw
        var status = stat()
        try call { fstat(raw, &status) }
        guard status.st_mode & CLinux_st_mode_format() == CLinux_character_device(),
            status.st_rdev == CLinux_makedev(5, 2)
        else { throw SystemError(ENOTTY) }
        try call { CLinux_terminal_unlock(raw) }
        let terminal = Descriptor(owning: try call { CLinux_terminal_peer(raw, O_RDWR | O_NOCTTY | O_CLOEXEC) })
        var byte = UInt8(ascii: "T")
        var passed = raw
        try call { CLinux_send_descriptors(0, &byte, 1, &passed, 1, Int32(MSG_NOSIGNAL)) }
        let peer = terminal.raw
        // A launcher's session ends with it: the terminal is its successor's.
        controlsTerminal = true
        if note == nil { try call { CLinux_terminal_control(peer) } }
        for stream in Int32(0)...2 { try call { dup2(peer, stream) } }
    }
}
