import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// What the unpacker made of one layer, and what is left to do once the layers below it are there.
struct UnpackedLayer {
    struct DirectoryTime {
        let path: [UInt8]
        let modified: timespec
    }

    /// Sum of the apparent sizes of its files.
    var bytes: Int64 = 0
    var inodes = 0
    /// `.wh..wh..opq` at the root: overlayfs ignores the mark there, so the layers below must be left out of the mount.
    var opaqueRoot = false
    /// Directories the archive has no entry for, by inode: they take over the lower directory's owner, mode and time.
    var implicitDirectories: [UInt64: [UInt8]] = [:]
    /// Directories that hide what lower layers have in them, by inode: the mark is set once all is unpacked, since whoever unpacks has
    /// no right to it.
    var opaqueDirectories: [UInt64: [UInt8]] = [:]
    var whiteouts: [[UInt8]] = []
    var directoryTimes: [DirectoryTime] = []
    var rememberedBytes = 0

    /// Fits an unpacked layer onto the layers below it.
    ///
    /// Whiteouts of nothing are removed: in a directory that exists in this layer alone overlayfs would list them as
    /// broken names.
    /// Directories without an entry of their own get the lower one's metadata, which they would otherwise hide.
    /// Directory times
    /// come last, since all of this changes them.
    ///
    /// - Parameter lowers: the layers below, topmost first.
    func finish(directory: String, lowers: [String], subject: String) throws(ImageError) {
        try storing(subject) { () throws(KernelError) in
            let root = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try markOpaqueDirectories(root)
            try removeIdleWhiteouts(root, directory: directory, lowers: lowers)
            if !lowers.isEmpty { try inheritMetadata(root, lowers: lowers) }
            for entry in directoryTimes {
                guard let found = try Self.openDirectory(root, entry.path) else { continue }
                var times = [entry.modified, entry.modified]
                try kernelCall("futimens") { futimens(found.raw, &times) }
            }
        }
    }

    private func markOpaqueDirectories(_ root: borrowing OwnedDescriptor) throws(KernelError) {
        for (inode, path) in opaqueDirectories {
            // Gone, or not itself any more, when a later entry took its place.
            guard let directory = try Self.openDirectory(root, path),
                try LayerDirectory.status(directory.raw).st_ino == UInt(inode)
            else { continue }
            try LayerDirectory.makeOpaque(directory.raw)
        }
    }

    private func removeIdleWhiteouts(
        _ root: borrowing OwnedDescriptor, directory: String, lowers: [String]
    ) throws(KernelError) {
        guard !whiteouts.isEmpty else { return }
        let merged = try LayeredDirectory.root(of: [directory] + lowers)
        for path in whiteouts {
            var components = path.split(separator: UInt8(ascii: "/")).map(Array.init)
            guard let name = components.popLast() else { continue }
            if try merged.descend(components)?.hasBelowTop(name) == true { continue }
            // A parent written through a symbolic link is not found by its plain path: then the whiteout stays, which
            // is harmless.
            guard let parent = try Self.openDirectory(root, Array(components.joined(separator: [UInt8(ascii: "/")]))),
                let status = try LayerDirectory.status(parent.raw, name), LayerDirectory.isWhiteout(status)
            else { continue }
            try LayerDirectory.remove(parent.raw, name)
        }
    }

    private func inheritMetadata(_ root: borrowing OwnedDescriptor, lowers: [String]) throws(KernelError) {
        let merged = try LayeredDirectory.root(of: lowers)
        for (inode, path) in implicitDirectories {
            let components = path.split(separator: UInt8(ascii: "/")).map(Array.init)
            guard let lower = try merged.descend(components)?.status(),
                let own = try Self.openDirectory(root, path), try LayerDirectory.status(own.raw).st_ino == UInt(inode)
            else { continue }
            try kernelCall("fchown") { fchown(own.raw, lower.st_uid, lower.st_gid) }
            try kernelCall("fchmod") { fchmod(own.raw, lower.st_mode & 0o7777) }
            var times = [lower.st_mtim, lower.st_mtim]
            try kernelCall("futimens") { futimens(own.raw, &times) }
        }
    }

    /// A directory of this layer; `nil` when a later entry replaced it or a part of its path.
    private static func openDirectory(
        _ root: borrowing OwnedDescriptor, _ path: [UInt8]
    ) throws(KernelError) -> OwnedDescriptor? {
        if path.isEmpty { return try root.duplicate() }
        do {
            let components = path.split(separator: UInt8(ascii: "/"))
            guard let name = components.last else { return nil }
            guard components.count > 1 else { return try LayerDirectory.open(root.raw, name, O_RDONLY | O_DIRECTORY) }
            let parent = try LayerDirectory.openInRoot(
                root.raw, Array(components.dropLast().joined(separator: [UInt8(ascii: "/")])))
            return try LayerDirectory.open(parent.raw, name, O_RDONLY | O_DIRECTORY)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return nil
            default: throw error
            }
        }
    }
}
