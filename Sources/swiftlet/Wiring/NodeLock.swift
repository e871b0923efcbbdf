import CLinux
import Glibc
import LinuxKernel

/// Holds a node's directories for one process: a second agent on any of them is refused before it touches anything.
final class NodeLock: Sendable {
    private let files: [Int32]

    /// - Parameter toStop: pods are only ended, which a directory that has become read-only does not prevent.
    init(directories: [String], toStop: Bool = false) throws {
        var files: [Int32] = []
        do {
            for directory in directories {
                let file = try Self.file(in: directory, mayBeReadOnly: toStop)
                let owner = try file.readAll(limit: 64)
                guard CLinux_flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
                    let pid = String(decoding: owner, as: UTF8.self).split(separator: "\n").first ?? "?"
                    throw SettingError(
                        "\(directory) is in use by another swiftlet (pid \(pid)): stop it, or give other directories")
                }
                ftruncate(file.raw, 0)
                _ = "\(getpid())\n".withCString { pwrite(file.raw, $0, strlen($0), 0) }
                // The lock belongs to the open file, so the copy keeps it.
                files.append(try file.duplicate().release())
            }
        } catch {
            files.forEach { close($0) }
            throw error
        }
        self.files = files
    }

    private static func file(in directory: String, mayBeReadOnly: Bool) throws(SettingError) -> OwnedDescriptor {
        do throws(KernelError) {
            try FileSystem.makeDirectories(directory, mode: 0o700)
            return try OwnedDescriptor.open(directory + "/lock", O_RDWR | O_CREAT, mode: 0o600)
        } catch {
            if mayBeReadOnly, error.isReadOnly, let file = try? OwnedDescriptor.open(directory + "/lock", O_RDONLY) {
                return file
            }
            throw SettingError(directory: directory, error)
        }
    }

    /// Whether a process holds one of the directories.
    static func isHeld(_ directories: [String]) -> Bool {
        directories.contains { directory in
            guard let file = try? OwnedDescriptor.open(directory + "/lock", O_RDWR) else { return false }
            return CLinux_flock(file.raw, LOCK_EX | LOCK_NB) != 0
        }
    }

    /// Returns when no process holds any of the directories or the condition holds, or after 30 seconds, which is longer than a node
    /// takes to end whatever hangs in it. Looks again and again: a
    /// lock tells nobody that it is free, and to wait in flock(2) is to wait for ever beside a node that goes on.
    static func waitUntilFree(_ directories: [String], or condition: () -> Bool = { false }) async {
        let deadline = ContinuousClock.now + .seconds(30)
        while isHeld(directories), !condition(), ContinuousClock.now < deadline {
            try? await ContinuousClock().sleep(for: .milliseconds(50))
        }
    }

    deinit { files.forEach { close($0) } }
}
