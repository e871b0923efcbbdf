internal import Glibc
internal import LinuxKernel
internal import SystemPackage

/// Changes of directories that count only when they are on disk.
enum DirectoryChange {
    /// A file that is not there is one less to remove.
    static func remove(_ path: String) throws(KernelError) {
        do { try kernelCall("unlink", path) { unlink(path) } } catch {
            if error.errno != .noSuchFileOrDirectory { throw error }
        }
    }

    static func rename(_ path: String, to destination: String) throws(KernelError) {
        try kernelCall("rename", path) { Glibc.rename(path, destination) }
    }

    static func sync(_ directory: String) throws(KernelError) {
        try sync(try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY), directory)
    }

    static func sync(_ file: borrowing OwnedDescriptor, _ path: String) throws(KernelError) {
        let raw = file.raw
        try kernelCall("fsync", path) { fsync(raw) }
    }
}
