import CLinux
import Glibc
import SystemPackage

/// Network namespaces kept alive by a bind mount of their file.
///
/// What has to happen inside one happens on a thread made for it, which enters, does the work and ends. So there is no
/// way back that could fail, and no thread that others use is ever in a wrong namespace. Only the network namespace
/// changes: the thread sees the agent's files, never a container's.
public enum NetworkNamespace {
    /// Makes an empty namespace (one loopback interface, down) and pins it to a new file at `path`, whose directory
    /// exists. EEXIST when the path is taken.
    public static func create(pinnedAt path: String) throws(KernelError) {
        _ = try OwnedDescriptor.open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do {
            try DedicatedThread.run { () throws(KernelError) in
                try kernelCall("unshare network namespace for", path) { CLinux_unshare(CLONE_NEWNET) }
                try Mount.bind("/proc/thread-self/ns/net", path)
            }
        } catch {
            Glibc.unlink(path)
            throw error
        }
    }

    /// Runs `body` on a new thread inside the namespace pinned at `path` and waits for it.
    public static func withinNamespace<Value>(
        _ path: String, _ body: () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        let namespace = try OwnedDescriptor.open(path, O_RDONLY)
        return try DedicatedThread.run { () throws(KernelError) -> Value in
            try kernelCall("enter network namespace", path) { CLinux_setns(namespace.raw, CLONE_NEWNET) }
            return try body()
        }
    }

    /// Takes the pin away; the namespace, with its interfaces, goes when its last process and socket are gone. The
    /// kernel takes veth pairs down in the background, which costs the caller nothing. An absent pin is fine.
    public static func unpin(_ path: String) throws(KernelError) {
        try Mount.unmount(path)
        if Glibc.unlink(path) != 0, Errno.current != .noSuchFileOrDirectory { throw KernelError.last("unlink", path) }
    }
}
