import CLinux
import MonitorCoreEmbedded

/// What the agent does not do itself, because it may sleep in the kernel for as long as a server, a driver or a disk is gone.
enum HangingFileSystem {
    /// Ends when the file system of the path, the only word, has answered, whatever it said.
    static func probe(_ words: ArraySlice<ArraySlice<UInt8>>) -> Never {
        guard let word = words.first, let path = CString(word) else { _exit(64) }
        let file = path.withPointer { CLinux_open($0, O_PATH | O_CLOEXEC, 0) }
        if file < 0 { _exit(1) }
        // It asks for the file system's size on the way, which no cache answers.
        _ = CLinux_is_proc(file)
        _exit(0)
    }

    /// Unmounts what is mounted at places below a directory, and everything below that. The first word is the directory, the others
    /// are relative to it. No link is followed, and no mounted root is looked at: the way there is opened up to the last name,
    /// and that is looked up by umount2(2) alone.
    static func unmount(_ words: ArraySlice<ArraySlice<UInt8>>) -> Never {
        guard let word = words.first, let directory = CString(word) else { _exit(64) }
        let top = directory.withPointer { CLinux_open($0, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0) }
        if top < 0 { _exit(1) }
        for point in words.dropFirst() { unmount(point, in: top) }
        _exit(0)
    }

    /// What is gone already, or cannot be unmounted, is to be seen in the mount table.
    private static func unmount(_ point: ArraySlice<UInt8>, in top: Int32) {
        let slash = point.lastIndex(of: 0x2F)
        let name = slash.map { point[($0 + 1)...] } ?? point
        let dot: [UInt8] = [0x2E]
        let parentPath = slash.map { point[..<$0] } ?? dot[...]
        guard let path = CString(parentPath), !name.isEmpty else { return }
        let flags = UInt64(UInt32(bitPattern: O_PATH | O_DIRECTORY | O_CLOEXEC))
        let resolve = CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_SYMLINKS | CLinux_RESOLVE_NO_MAGICLINKS
        let parent = Descriptor(owning: path.withPointer { CLinux_openat2(top, $0, flags, 0, resolve) })
        guard parent.raw >= 0 else { return }
        var target: [UInt8] = []
        let prefix: StaticString = "/proc/self/fd/"
        prefix.withUTF8Buffer { target.append(contentsOf: $0) }
        target.append(contentsOf: decimal(parent.raw))
        target.append(0x2F)
        target.append(contentsOf: name)
        guard let target = CString(target) else { return }
        _ = target.withPointer { umount2($0, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW)) }
    }
}
