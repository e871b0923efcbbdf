import CLinux
import MonitorCoreEmbedded

/// The steps of a launch into a user namespace.
///
/// Only the host's root may map the ids of a mount, mount an overlay that honours the marks of image layers, or raise a limit:
/// that comes first, on trees that are attached nowhere. Then the process enters the pod's namespaces, where none of that is
/// possible any more, and attaches what it holds.
extension LaunchInterpreter {
    /// Each layer's ids are mapped by a private mount of it; the layer itself stays as it is, for pods with other ids too.
    mutating func openOverlay(
        lower: [CString], upper: CString, work: CString, target: CString, mapsIDs: Bool
    ) throws(SystemError) {
        var options = OverlayOptions(upper: upper, work: work)
        var layers: [Int32] = []
        for directory in lower {
            let flags = CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC
            let layer = try call { directory.withPointer { CLinux_open_tree(AT_FDCWD, $0, flags) } }
            layers.append(layer)
            if mapsIDs { try mapIDs(of: layer, recursive: false) }
            // Before Linux 6.15 an overlay takes only layers that are attached. One over the other: they are named by descriptor.
            try call {
                target.withPointer { CLinux_move_mount(layer, "", AT_FDCWD, $0, CLinux_MOVE_MOUNT_F_EMPTY_PATH) }
            }
            options.addLower(descriptor: layer)
        }
        guard let data = CString(options.text) else { throw SystemError(EINVAL) }
        try call {
            target.withPointer { target in
                data.withPointer { mount("overlay", target, "overlay", 0, UnsafeRawPointer($0)) }
            }
        }
        for layer in layers { close(layer) }
        detachedRoot = try call {
            target.withPointer {
                CLinux_open_tree(AT_FDCWD, $0, CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC)
            }
        }
        // Inside nobody can make a device; one that an image brings is no more use.
        let root = detachedRoot
        try call { CLinux_mount_setattr(root, "", CLinux_AT_EMPTY_PATH, CLinux_MOUNT_ATTR_NODEV, 0, 0) }
    }

    private func mapIDs(of tree: Int32, recursive: Bool) throws(SystemError) {
        let flags = CLinux_AT_EMPTY_PATH | (recursive ? CLinux_AT_RECURSIVE : 0)
        let namespace = userNamespace
        try call { CLinux_mount_map_ids(tree, flags, namespace) }
    }

    mutating func open(_ bind: BindMount, forbidsLinks: Bool, mapsIDs: Bool) throws(SystemError) {
        let tree = try takeTree(of: bind.source, forbidsLinks: forbidsLinks)
        if mapsIDs {
            do { try mapIDs(of: tree.raw, recursive: true) } catch {
                // What is mounted below may be of a kind that cannot; it then belongs to nobody inside.
                try mapIDs(of: tree.raw, recursive: false)
            }
        }
        try setAttributes(of: tree, bind)
        openBinds.append((tree.release(), bind))
    }

    mutating func attachNextBind() throws(SystemError) {
        guard attachedBinds < openBinds.count else { throw SystemError(EINVAL) }
        let (tree, bind) = openBinds[attachedBinds]
        attachedBinds += 1
        try attach(
            Descriptor(owning: tree), to: try requireRoot().locateOrCreate(bind.target, kind: bind.kind))
    }

    mutating func attachRoot(_ target: CString) throws(SystemError) {
        let tree = detachedRoot
        try call { target.withPointer { CLinux_move_mount(tree, "", AT_FDCWD, $0, CLinux_MOVE_MOUNT_F_EMPTY_PATH) } }
        close(tree)
        detachedRoot = -1
        root = RootDirectory(
            owning: try call { target.withPointer { CLinux_open($0, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) } })
    }

    func bindDevice(_ path: CString, _ major: UInt32, _ minor: UInt32) throws(SystemError) {
        let device = Descriptor(
            owning: try call { path.withPointer { CLinux_open($0, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0) } })
        var status = stat()
        let raw = device.raw
        try call { fstat(raw, &status) }
        let format = status.st_mode & CLinux_st_mode_format()
        guard format == S_IFCHR || format == S_IFBLK, status.st_rdev == CLinux_makedev(major, minor) else {
            throw SystemError(ENODEV)
        }
        try attach(try cloneTree(raw), to: try requireRoot().locateOrCreate(path, kind: .file, ordinary: true))
    }

    func ownStandardStreams(_ userID: UInt32) throws(SystemError) {
        for descriptor: Int32 in 1...2 {
            var status = stat()
            try call { fstat(descriptor, &status) }
            guard status.st_mode & CLinux_st_mode_format() == S_IFIFO else { continue }
            try call { fchown(descriptor, userID, gid_t.max) }
        }
    }

    /// The new process is the monitor's child, as this one was. It goes on only when the monitor knows it.
    func becomeInit() throws(SystemError) {
        let pid = try call { CLinux_clone3(UInt64(CLONE_NEWPID | CLONE_PARENT), nil, 0, 0) }
        if pid == 0 {
            var byte = UInt8(0)
            if try call({ recv(report, &byte, 1, 0) }) == 0 { _exit(1) }
            return
        }
        var writer = WireWriter()
        writer.write(Int32(truncatingIfNeeded: pid))
        let bytes = writer.bytes
        _ = bytes.withUnsafeBytes { send(report, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        _exit(0)
    }
}
