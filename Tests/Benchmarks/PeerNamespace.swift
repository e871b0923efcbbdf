import CLinux
import Glibc
import LinuxKernel

/// A mount namespace for peers, so that the host's mounts stay as they are.
///
/// crun refuses a host with both v1 controllers and a v2 hierarchy. In this namespace the v2 mount is gone, and so it runs.
final class PeerNamespace: Sendable {
    private let namespace: OwnedDescriptor

    init() throws(KernelError) {
        let hierarchies = try CgroupHierarchies.discover()
        namespace = OwnedDescriptor(
            owning: try DedicatedThread.run { () throws(KernelError) -> Int32 in
                try kernelCall("unshare") { CLinux_unshare(CLONE_NEWNS) }
                try kernelCall("make private", "/") { mount(nil, "/", nil, UInt(MS_REC | MS_PRIVATE), nil) }
                if hierarchies.version == .hybrid, let unified = hierarchies.unified { try Mount.unmount(unified) }
                return try OwnedDescriptor.open("/proc/thread-self/ns/mnt", O_RDONLY).release()
            })
    }

    /// Runs `body` inside, on a thread of its own; processes it spawns are inside too. Blocks.
    func run<Value>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
        let raw = namespace.raw
        return try DedicatedThread.run { () throws(KernelError) -> Value in
            // A thread that shares its working directory with others cannot enter a mount namespace.
            try kernelCall("unshare") { CLinux_unshare(CLONE_FS) }
            try kernelCall("setns") { CLinux_setns(raw, CLONE_NEWNS) }
            return try body()
        }
    }
}
