import CLinux
import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// Where images' bytes are decompressed, parsed and unpacked: in processes of their own, each confined to the directory it unpacks
/// into. The agent itself only hashes what comes from a registry or lies in an archive.
public final class UnpackJail: Sendable {
    private struct State {
        var users = 0
        var launcher: UnpackLauncher?
    }

    private let program: String
    private let filter: [UInt8]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - program: one that hands over to ``UnpackLauncherProgram``; this one, if nothing else is said.
    ///   - filter: of the system calls of its processes, as an array of `struct sock_filter`.
    public init(program: String = "/proc/self/exe", filter: [UInt8]) {
        self.program = program
        self.filter = filter
    }

    // MARK: The launcher

    /// Keeps the launcher, once there is one, until as many calls of ``release()``.
    func retain() { state.withLock { $0.users += 1 } }

    /// The launcher ends when nobody needs it. Blocks for a moment.
    func release() {
        let last: UnpackLauncher? = state.withLock { state in
            state.users -= 1
            guard state.users == 0 else { return nil }
            defer { state.launcher = nil }
            return state.launcher
        }
        withExtendedLifetime(last) {}
    }

    private func launcher() throws(KernelError) -> UnpackLauncher {
        if let running = state.withLock({ $0.launcher }) { return running }
        let made = try UnpackLauncher(program: program, filter: filter)
        return state.withLock { state in
            if let other = state.launcher { return other }
            // Without a user it serves this one process.
            if state.users > 0 { state.launcher = made }
            return made
        }
    }

    private func forget(_ launcher: UnpackLauncher) {
        state.withLock { if $0.launcher === launcher { $0.launcher = nil } }
    }

    // MARK: Processes

    /// Starts a process whose root is `directory`.
    func start(_ request: UnpackRequest, directory: String) throws(ImageError) -> JailedProcess {
        do throws(KernelError) {
            let tree = try Self.tree(directory)
            let first = try launcher()
            do throws(KernelError) {
                return try first.start(request, tree: tree)
            } catch {
                guard [.brokenPipe, .connectionReset, .noChildProcess].contains(error.errno) else { throw error }
                // It was killed, for whatever reason.
                forget(first)
                return try launcher().start(request, tree: tree)
            }
        } catch {
            throw ImageError(
                .storage,
                "\(request.subject): its unpacking cannot be confined: \(error) (\"swiftlet check\" says what is missing)"
            )
        }
    }

    /// A mount of `directory` alone, without devices, programs and setuid, attached nowhere.
    private static func tree(_ directory: String) throws(KernelError) -> OwnedDescriptor {
        let flags = CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC
        let tree = OwnedDescriptor(
            owning: try kernelCall("open_tree", directory) { CLinux_open_tree(AT_FDCWD, directory, flags) })
        let attributes =
            CLinux_MOUNT_ATTR_NODEV | CLinux_MOUNT_ATTR_NOSUID | CLinux_MOUNT_ATTR_NOEXEC | CLinux_MOUNT_ATTR_NOATIME
        let raw = tree.raw
        // MOUNT_ATTR__ATIME: one kind of access times can only take another's place.
        try kernelCall("mount_setattr", directory) {
            CLinux_mount_setattr(raw, "", CLinux_AT_EMPTY_PATH, attributes, 0x70, 0)
        }
        return tree
    }

    // MARK: Looking at itself

    /// Has a process try what none may be able to do. `directory` is empty, and stays so.
    public func attempts(in directory: String) throws(ImageError) -> [JailAttempt] {
        let (limits, subject) = (UnpackLimits(), "image unpacking")
        let child = try start(UnpackRequest(.attempts, limits: limits, subject: subject), directory: directory)
        child.finishInput()
        let bytes = try storing(subject) { () throws(KernelError) in
            let bytes = try child.reply(limit: UnpackReply.limitBytes(limits))
            try child.end()
            return bytes
        }
        switch try Self.decoded(bytes, limits: limits, subject: subject) {
        case .attempts(let attempts): return attempts
        case .failure(let error): throw error
        case .layer, .contents, .entries:
            throw ImageError(.storage, "\(subject): the unpacker gives a wrong answer")
        }
    }

    /// What it means that a jailed process is silent for ever.
    static func withoutAnswer(_ subject: String) -> ImageError {
        ImageError(
            .invalidArchive,
            "\(subject): the unpacker ended without an answer: it crashed, or took too much memory or time")
    }

    /// Runs a piece of a conversation with a jailed process.
    ///
    /// - Throws: what standing still, and saying too much, mean.
    static func inTime<Value>(
        _ limits: UnpackLimits, _ subject: String, _ body: () throws(KernelError) -> Value
    ) throws(ImageError) -> Value {
        do throws(KernelError) {
            return try body()
        } catch {
            switch error.errno {
            case .resourceTemporarilyUnavailable:
                throw ImageError(
                    .limitExceeded, "\(subject): its unpacking has stood still for \(limits.stallSeconds) s")
            case .fileTooLarge:
                throw ImageError(.invalidArchive, "\(subject): the unpacker gives a wrong answer: it is too long")
            default: throw ImageError(.storage, "\(subject): \(error)")
            }
        }
    }

    static func decoded(_ bytes: [UInt8], limits: UnpackLimits, subject: String) throws(ImageError) -> UnpackReply {
        guard !bytes.isEmpty else { throw withoutAnswer(subject) }
        do throws(JailDecoder.Failure) {
            return try UnpackReply(decoding: bytes, limits: limits, subject: subject)
        } catch {
            throw ImageError(.invalidArchive, "\(subject): the unpacker gives a wrong answer: \(error)")
        }
    }
}
