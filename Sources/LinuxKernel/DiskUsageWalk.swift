import CLinux
import Glibc
import SystemPackage

/// One measurement of ``DiskUsage``, in bounded memory, stack and descriptors.
///
/// The trees are under the control of containers while they are walked: every directory is entered by descriptor, and
/// what vanishes meanwhile is not there.
struct DiskUsageWalk: ~Copyable {
    /// Directories held open at once on the way down. What is deeper waits as an open directory until its turn.
    private static let maximumDepth = 64
    private static let waitingLimit = 256
    private static let directoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK

    private struct Inode: Hashable {
        let device: dev_t
        let number: ino_t
    }

    /// A directory in an array, which cannot hold noncopyable values.
    private final class Waiting {
        let directory: OwnedDescriptor
        let device: dev_t

        init(_ directory: consuming OwnedDescriptor, _ device: dev_t) {
            self.directory = directory
            self.device = device
        }
    }

    private(set) var usage = DiskUsage()
    private var seen: Set<Inode> = []
    private var waiting: [Waiting] = []
    private var entriesLeft: Int
    private let deadline: ContinuousClock.Instant

    init(_ budget: DiskUsage.Budget) {
        entriesLeft = budget.entries
        deadline = .now + budget.time
    }

    /// The path is the agent's own; only what is below it is not.
    mutating func add(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if Errno.current != .noSuchFileOrDirectory { usage.isComplete = false }
            return
        }
        guard spend() else { return }
        count(status)
        guard status.st_mode & S_IFMT == S_IFDIR else { return }
        guard let directory = try? OwnedDescriptor.open(path, Self.directoryFlags) else {
            usage.isComplete = false
            return
        }
        walk(directory, status.st_dev, depth: 0)
        while let next = waiting.popLast() {
            guard let directory = try? next.directory.duplicate() else {
                usage.isComplete = false
                continue
            }
            walk(directory, next.device, depth: 0)
        }
    }

    private mutating func spend() -> Bool {
        entriesLeft -= 1
        if entriesLeft < 0 || (entriesLeft % 1024 == 0 && ContinuousClock.now > deadline) {
            entriesLeft = 0
            usage.isComplete = false
            return false
        }
        return true
    }

    private mutating func count(_ status: stat) {
        if status.st_nlink > 1, status.st_mode & S_IFMT != S_IFDIR,
            !seen.insert(Inode(device: status.st_dev, number: status.st_ino)).inserted
        {
            return
        }
        // Blocks of 512 bytes, whatever the file system's are.
        let (bytes, overflow) = UInt64(max(0, status.st_blocks)).multipliedReportingOverflow(by: 512)
        usage.bytes = DiskUsage.saturatingSum(usage.bytes, overflow ? .max : bytes)
        usage.inodes += 1
    }

    private mutating func walk(_ directory: consuming OwnedDescriptor, _ device: dev_t, depth: Int) {
        guard let stream = fdopendir(directory.raw) else {
            usage.isComplete = false
            return
        }
        let raw = directory.release()
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            // Lent until the next readdir: the name is used before that, as bytes, for containers need no valid UTF-8.
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) + [0] }
            if name == [46, 0] || name == [46, 46, 0] { continue }
            guard spend() else { return }
            var status = stat()
            guard Self.withName(name, { fstatat(raw, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else { continue }
            // What is mounted here is not of this tree.
            guard status.st_dev == device else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                enter(name, of: raw, status, depth: depth)
            } else {
                count(status)
            }
        }
    }

    private mutating func enter(_ name: [UInt8], of directory: Int32, _ status: stat, depth: Int) {
        let resolve =
            CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_XDEV | CLinux_RESOLVE_NO_SYMLINKS | CLinux_RESOLVE_NO_MAGICLINKS
        let how = UInt64(UInt32(bitPattern: Self.directoryFlags))
        let child = Self.withName(name) { CLinux_openat2(directory, $0, how, 0, resolve) }
        guard child >= 0 else {
            // EXDEV: a bind mount of the same file system; ENOENT: gone by now.
            let failure = Errno.current
            if failure != .improperLink, failure != .noSuchFileOrDirectory {
                count(status)
                usage.isComplete = false
            }
            return
        }
        count(status)
        let opened = OwnedDescriptor(owning: child)
        if depth + 1 < Self.maximumDepth {
            walk(opened, status.st_dev, depth: depth + 1)
        } else if waiting.count < Self.waitingLimit {
            waiting.append(Waiting(opened, status.st_dev))
        } else {
            usage.isComplete = false
        }
    }

    private static func withName<Value>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        name.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // Never empty: it ends with NUL.
                characters.baseAddress.map(body) ?? body("")
            }
        }
    }
}
