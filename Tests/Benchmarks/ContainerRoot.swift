import Glibc
import LinuxKernel

/// The lower directory of every container measured, ours and the peers': one static program and the usual directories.
struct ContainerRoot: Sendable {
    let path: String

    static let trueCommand = ["/bin/true"]
    static let sleepCommand = ["/bin/busybox", "sleep", "3600"]

    init(in directory: String) throws {
        path = directory + "/root"
        for name in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
            try FileSystem.makeDirectories(path + "/" + name, mode: 0o755)
        }
        let candidates = ["/bin/busybox", "/usr/bin/busybox"]
        guard let busybox = candidates.first(where: FileSystem.exists) else {
            throw BenchmarkError("there is no busybox in /bin: install the package busybox-static")
        }
        let program = try FileSystem.read(busybox, limit: 64 << 20)
        try FileSystem.writeAtomically(path + "/bin/busybox", program, mode: 0o755, durable: false)
        try kernelCall("symlink", path + "/bin/true") { symlink("busybox", path + "/bin/true") }
    }
}
