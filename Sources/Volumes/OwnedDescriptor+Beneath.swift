import CLinux
import Glibc
import LinuxKernel
import SystemPackage

extension OwnedDescriptor {
    /// openat2(2) with `RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS`: links are followed only as long as they stay below
    /// this directory; an absolute one, or one that climbs out, is EXDEV. Stricter than ``openInRoot(_:_:mode:)``,
    /// which would show something else than the link says.
    ///
    /// - Parameter resolve: more `RESOLVE_*` flags.
    func openBeneath(
        _ path: String, _ flags: Int32, resolve: UInt64 = 0
    ) throws(KernelError) -> OwnedDescriptor {
        let how = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        let resolve = resolve | CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_MAGICLINKS
        var attempts = 0
        while true {
            do {
                let opened = try kernelCall("openat2", path) { CLinux_openat2(raw, path, how, 0, resolve) }
                return OwnedDescriptor(owning: opened)
            } catch let error where error.errno == .resourceTemporarilyUnavailable && attempts < Self.raceLimit {
                // A directory was renamed during the walk and the kernel could not prove that "..", met in a link,
                // stayed below.
                attempts += 1
            }
        }
    }

    /// How often a walk that a rename disturbed is tried again; someone who renames all the time gets an error.
    private static var raceLimit: Int { 128 }

    /// openat2(2) of a path of the host's.
    ///
    /// - Parameter resolve: `RESOLVE_*` flags. Such a walk that meets what they forbid is ELOOP.
    static func open(_ path: String, _ flags: Int32, resolve: UInt64) throws(KernelError) -> OwnedDescriptor {
        let how = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        return OwnedDescriptor(
            owning: try kernelCall("openat2", path) { CLinux_openat2(AT_FDCWD, path, how, 0, resolve) })
    }

    /// fstat(2).
    func status() throws(KernelError) -> stat {
        var status = stat()
        try kernelCall("fstat") { fstat(raw, &status) }
        return status
    }

    /// The link's target; nil when there is no such link in this directory.
    func readLink(_ name: String) throws(KernelError) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        do {
            let count = try kernelCall("readlinkat", name) {
                buffer.withUnsafeMutableBytes { bytes in
                    bytes.assumingMemoryBound(to: CChar.self).baseAddress.map {
                        readlinkat(raw, name, $0, bytes.count)
                    } ?? 0
                }
            }
            return String(decoding: buffer[..<count], as: UTF8.self)
        } catch let error where error.errno == .noSuchFileOrDirectory || error.errno == .invalidArgument {
            return nil
        }
    }

    /// The path the kernel has for this descriptor, free of links.
    func canonicalPath() throws(KernelError) -> String {
        let table = try OwnedDescriptor.open("/proc/self/fd", O_RDONLY | O_DIRECTORY)
        guard let path = try table.readLink(String(raw)) else {
            throw KernelError("readlink", "/proc/self/fd/\(raw)", errno: .noSuchFileOrDirectory)
        }
        return path
    }
}
