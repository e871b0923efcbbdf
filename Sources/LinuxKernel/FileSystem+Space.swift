import CLinux
import Glibc

extension FileSystem {
    /// Allocates blocks behind a file's end without changing its size or content: it can grow by so many bytes even
    /// when the disk is full by then. ENOSPC when it is full already, EOPNOTSUPP on a file system that cannot.
    public static func reserve(_ file: borrowing OwnedDescriptor, bytes: Int64) throws(KernelError) {
        let raw = file.raw
        var status = stat()
        try kernelCall("fstat") { fstat(raw, &status) }
        let end = Int64(status.st_size)
        try kernelCall("fallocate") { CLinux_fallocate_keep_size(raw, end, bytes) }
    }

    /// Bytes that a process without privileges can still write on the file system of a path.
    public static func freeBytes(_ path: String) throws(KernelError) -> UInt64 {
        var status = statvfs()
        try kernelCall("statvfs", path) { statvfs(path, &status) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : bytes
    }
}
