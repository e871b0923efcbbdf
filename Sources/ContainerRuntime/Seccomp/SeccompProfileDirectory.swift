import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// `<root>/seccomp`: the profiles that containers may name.
struct SeccompProfileDirectory {
    let path: String

    /// The bytes of a profile. A name never leads out of the directory, neither by `..` nor by a symbolic link.
    func read(_ name: String) throws(RuntimeError) -> [UInt8] {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, !name.utf8.contains(0), !name.hasPrefix("/"), !parts.contains("..") else {
            throw Self.failure(name, "must be a path below \(path) without \"..\"")
        }
        do throws(KernelError) {
            let directory = try OwnedDescriptor.open(path, O_PATH | O_DIRECTORY)
            let file = OwnedDescriptor(
                owning: try kernelCall("openat2", name) {
                    CLinux_openat2(
                        directory.raw, name, UInt64(UInt32(bitPattern: O_RDONLY | O_NONBLOCK | O_CLOEXEC)), 0,
                        CLinux_RESOLVE_BENEATH | CLinux_RESOLVE_NO_MAGICLINKS)
                })
            var status = stat()
            try kernelCall("fstat", name) { fstat(file.raw, &status) }
            guard status.st_mode & S_IFMT == S_IFREG else { throw KernelError("read", name, errno: .invalidArgument) }
            return try file.readAll(limit: SeccompProfile.maximumBytes)
        } catch {
            throw Self.failure(name, reason(error.errno))
        }
    }

    private func reason(_ errno: Errno) -> String {
        switch errno {
        case .noSuchFileOrDirectory: "there is no such file in \(path): put it there"
        case .improperLink: "leads out of \(path)"
        case .invalidArgument: "is not a file"
        case .fileTooLarge: "has more than \(SeccompProfile.maximumBytes) bytes"
        default: "cannot be read in \(path): \(errno)"
        }
    }

    static func failure(_ name: String, _ reason: String) -> RuntimeError {
        let shown = name.utf8.count <= 256 ? name : String(name.prefix(253)) + "…"
        return RuntimeError(.invalidConfiguration, "seccompProfile.localhostProfile \"\(shown)\": \(reason)")
    }
}
