import Glibc

/// How full a file system is (statvfs(3)).
public struct FileSystemUsage: Hashable, Sendable {
    public var capacityBytes: UInt64
    /// What a process without privileges can still write.
    public var availableBytes: UInt64
    public var usedBytes: UInt64
    /// 0 on a file system without a fixed number of inodes.
    public var inodes: UInt64
    public var freeInodes: UInt64
    /// Two paths with the same are on one file system.
    public var identifier: UInt64

    public init(
        capacityBytes: UInt64, availableBytes: UInt64, usedBytes: UInt64, inodes: UInt64 = 0, freeInodes: UInt64 = 0,
        identifier: UInt64 = 0
    ) {
        self.capacityBytes = capacityBytes
        self.availableBytes = availableBytes
        self.usedBytes = usedBytes
        self.inodes = inodes
        self.freeInodes = freeInodes
        self.identifier = identifier
    }

    public var usedInodes: UInt64 { inodes > freeInodes ? inodes - freeInodes : 0 }

    /// Of the file system a path is on.
    public static func read(_ path: String) throws(KernelError) -> FileSystemUsage {
        var status = statvfs()
        try kernelCall("statvfs", path) { statvfs(path, &status) }
        let unit = UInt64(status.f_frsize)
        func bytes(_ blocks: UInt64) -> UInt64 {
            let (product, overflow) = blocks.multipliedReportingOverflow(by: unit)
            return overflow ? .max : product
        }
        let (blocks, free) = (UInt64(status.f_blocks), UInt64(status.f_bfree))
        return FileSystemUsage(
            capacityBytes: bytes(blocks), availableBytes: bytes(UInt64(status.f_bavail)),
            usedBytes: bytes(blocks > free ? blocks - free : 0), inodes: UInt64(status.f_files),
            freeInodes: UInt64(status.f_ffree), identifier: UInt64(status.f_fsid))
    }
}
