import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Makes and removes the namespaces that a pod's containers share: each lives in a bind mount, without a process.
enum SandboxNamespaces {
    /// Unshares on a thread of its own, which ends afterwards: no thread of the agent's ever changes namespaces. The thread
    /// stays in the host's mount namespace throughout.
    static func create(_ sandbox: PodSandbox) throws(KernelError) {
        for (name, _) in sandbox.namespaces {
            _ = try OwnedDescriptor.open(sandbox.namespacePath(name), O_RDONLY | O_CREAT | O_EXCL, mode: 0o600)
        }
        try DedicatedThread.run { () throws(KernelError) in
            let flags = sandbox.namespaces.reduce(0) { $0 | $1.type }
            try kernelCall("unshare") { CLinux_unshare(flags) }
            if !sandbox.hostNetwork {
                try kernelCall("sethostname", sandbox.hostname) {
                    CLinux_sethostname(sandbox.hostname, sandbox.hostname.utf8.count)
                }
            }
            for (name, _) in sandbox.namespaces {
                try Mount.bind("/proc/thread-self/ns/\(name)", sandbox.namespacePath(name))
            }
        }
        try FileSystem.makeDirectories(sandbox.sharedMemoryPath, mode: 0o1777)
        try Mount.mount(
            type: "tmpfs", source: "shm", target: sandbox.sharedMemoryPath,
            flags: UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC), options: "mode=1777,size=64m")
    }

    /// Unpins everything. The kernel tears a namespace down in the background once its last process is gone.
    static func remove(_ sandbox: PodSandbox) throws(KernelError) {
        try Mount.unmount(sandbox.sharedMemoryPath)
        for (name, _) in sandbox.namespaces {
            while try Mount.unmount(sandbox.namespacePath(name)) {}
        }
    }
}
