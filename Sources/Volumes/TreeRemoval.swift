import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Removes what containers wrote: any number of entries at any depth, in bounded memory, stack and descriptors.
///
/// No link is followed and no mount is crossed, a bind mount of the same file system included: every directory is
/// entered through `openat2` with `RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS`. What cannot be removed does not keep the
/// rest: all else goes, then the first failure is thrown.
struct TreeRemoval: ~Copyable {
    /// How deep the walk goes itself; directories further down are moved to the top first.
    private static let maximumDepth = 32

    private let top: OwnedDescriptor
    private let topPath: String
    private var failure: KernelError?
    private var moved: UInt64 = 0

    private init(_ top: consuming OwnedDescriptor, _ path: String) {
        self.top = top
        topPath = path
    }

    /// Removes `name` in the agent's own directory `parent`; an absent one is fine.
    static func remove(_ name: String, in parent: borrowing OwnedDescriptor, path: String) throws(KernelError) {
        if unlinkat(parent.raw, name, 0) == 0 { return }
        let notADirectory = KernelError.last("unlinkat", path)
        if notADirectory.errno == .noSuchFileOrDirectory { return }
        guard Self.mayBeDirectory(notADirectory.errno) else { throw notADirectory }
        var removal = TreeRemoval(try Self.enter(name, in: parent, path: path), path)
        // Each pass removes what it can and moves deep directories up for the next one.
        while try removal.pass() {}
        if let failure = removal.failure { throw failure }
        try kernelCall("rmdir", path) { unlinkat(parent.raw, name, AT_REMOVEDIR) }
    }

    /// True when another pass will get further.
    private mutating func pass() throws(KernelError) -> Bool {
        failure = nil
        let movedBefore = moved
        let directory = try top.duplicate()
        let removed = try removeEntries(of: directory, path: topPath, depth: 0)
        return moved > movedBefore || (failure != nil && removed > 0)
    }

    /// Removes the entries of a directory and gives how many are gone.
    private mutating func removeEntries(
        of directory: consuming OwnedDescriptor, path: String, depth: Int
    ) throws(KernelError) -> Int {
        guard let stream = fdopendir(directory.raw) else { throw KernelError.last("fdopendir", path) }
        let raw = directory.release()
        defer { closedir(stream) }
        var removed = 0
        while true {
            rewinddir(stream)
            var removedNow = 0
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) + [0] }
                if name == [46, 0] || name == [46, 46, 0] { continue }
                if try removeEntry(name, of: raw, path: path, depth: depth) { removedNow += 1 }
            }
            removed += removedNow
            // Once more after a success: reading a directory while it shrinks may pass over entries.
            if removedNow == 0 { return removed }
        }
    }

    /// - Parameter name: NUL-terminated bytes: containers need no valid UTF-8.
    private mutating func removeEntry(
        _ name: [UInt8], of directory: Int32, path: String, depth: Int
    ) throws(KernelError) -> Bool {
        let entryPath = path + "/" + String(decoding: name.dropLast(), as: UTF8.self)
        let code: Int32 = Self.withName(name) { unlinkat(directory, $0, 0) }
        if code == 0 { return true }
        var error = KernelError.last("unlinkat", entryPath)
        if error.errno == .noSuchFileOrDirectory { return false }
        if Self.mayBeDirectory(error.errno) {
            let code: Int32 = Self.withName(name) { unlinkat(directory, $0, AT_REMOVEDIR) }
            if code == 0 { return true }
            let directoryError = KernelError.last("rmdir", entryPath)
            // ENOTDIR: not a directory after all, so the first answer stands.
            if directoryError.errno != .notDirectory { error = directoryError }
            if directoryError.errno == .directoryNotEmpty || directoryError.errno == .fileExists {
                return try removeDirectory(name, of: directory, path: entryPath, depth: depth)
            }
        }
        if failure == nil { failure = error }
        return false
    }

    private mutating func removeDirectory(
        _ name: [UInt8], of directory: Int32, path: String, depth: Int
    ) throws(KernelError) -> Bool {
        if depth == Self.maximumDepth {
            let destination = ".swiftlet-removal-\(UInt64.random(in: 0...UInt64.max))"
            let code: Int32 = Self.withName(name) { renameat(directory, $0, top.raw, destination) }
            if code == 0 { moved += 1 } else if failure == nil { failure = .last("renameat", path) }
            return code == 0
        }
        do throws(KernelError) {
            let how = UInt64(UInt32(bitPattern: Self.directoryFlags))
            let child = try kernelCall("openat2", path) {
                Self.withName(name) { CLinux_openat2(directory, $0, how, 0, Self.resolve) }
            }
            _ = try removeEntries(of: OwnedDescriptor(owning: child), path: path, depth: depth + 1)
            try kernelCall("rmdir", path) { Self.withName(name) { unlinkat(directory, $0, AT_REMOVEDIR) } }
            return true
        } catch {
            if failure == nil { failure = error }
            return false
        }
    }

    private static let directoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    private static var resolve: UInt64 {
        CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_XDEV | CLinux_RESOLVE_NO_SYMLINKS | CLinux_RESOLVE_NO_MAGICLINKS
    }

    private static func enter(
        _ name: String, in parent: borrowing OwnedDescriptor, path: String
    ) throws(KernelError) -> OwnedDescriptor {
        try parent.openBeneath(
            name, directoryFlags, resolve: CLinux_RESOLVE_NO_XDEV | CLinux_RESOLVE_NO_SYMLINKS)
    }

    /// unlink(2) of a directory is EISDIR on Linux; EPERM is what POSIX says and some file systems do.
    private static func mayBeDirectory(_ errno: Errno) -> Bool { errno == .isDirectory || errno == .notPermitted }

    private static func withName<Value>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        name.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // Never empty: it ends with NUL.
                characters.baseAddress.map(body) ?? body("")
            }
        }
    }
}
