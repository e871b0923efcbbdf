import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// Makes and removes the namespaces that a pod's containers share: each lives in a bind mount, without a process.
enum SandboxNamespaces {
    static func create(_ sandbox: PodSandbox) throws(KernelError) {
        for (name, _) in sandbox.namespaces {
            _ = try OwnedDescriptor.open(sandbox.namespacePath(name), O_RDONLY | O_CREAT | O_EXCL, mode: 0o600)
        }
        if let ids = sandbox.ids {
            try createOwned(sandbox, ids)
        } else {
            try createOnThread(sandbox)
        }
        if sandbox.processNamespace == .pod { try FileSystem.makeDirectories(sandbox.emptyDirectory, mode: 0o755) }
        if sandbox.hostIPC { return }
        try FileSystem.makeDirectories(sandbox.ownSharedMemoryPath, mode: 0o1777)
        let root = sandbox.ids?.first ?? 0
        try Mount.mount(
            type: "tmpfs", source: "shm", target: sandbox.ownSharedMemoryPath,
            flags: UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC), options: "mode=1777,size=64m,uid=\(root),gid=\(root)")
    }

    /// The user namespace first, and the others by its root: so they are owned by it.
    private static func createOwned(_ sandbox: PodSandbox, _ ids: IDRange) throws(KernelError) {
        let process = try NamespaceProcess.start(
            flags: sandbox.ownedNamespaces.reduce(0) { $0 | $1.type }, hostname: sandbox.hostname)
        try process.make(ids)
        for (name, _) in sandbox.namespaces {
            try Mount.bind(process.path(of: name), sandbox.namespacePath(name))
        }
        try DedicatedThread.run { () throws(KernelError) in
            try enter("net", CLONE_NEWNET, of: sandbox)
            setNetworkDefaults(except: sandbox.sysctls)
        }
    }

    /// Takes the calling thread, which must not be used for anything else, into a namespace of the sandbox.
    private static func enter(_ name: String, _ type: Int32, of sandbox: PodSandbox) throws(KernelError) {
        let namespace = try OwnedDescriptor.open(sandbox.namespacePath(name), O_RDONLY)
        try kernelCall("setns", name) { CLinux_setns(namespace.raw, type) }
    }

    /// Unshares on a thread of its own, which ends afterwards: no thread of the agent's ever changes namespaces. The thread
    /// stays in the host's mount namespace throughout.
    private static func createOnThread(_ sandbox: PodSandbox) throws(KernelError) {
        try DedicatedThread.run { () throws(KernelError) in
            let flags = sandbox.namespaces.reduce(0) { $0 | $1.type }
            try kernelCall("unshare") { CLinux_unshare(flags) }
            if !sandbox.hostNetwork {
                try kernelCall("sethostname", sandbox.hostname) {
                    CLinux_sethostname(sandbox.hostname, sandbox.hostname.utf8.count)
                }
            }
            if !sandbox.hostNetwork { setNetworkDefaults(except: sandbox.sysctls) }
            for (name, _) in sandbox.namespaces {
                try Mount.bind("/proc/thread-self/ns/\(name)", sandbox.namespacePath(name))
            }
        }
    }

    /// In a network of its own a pod harms nobody by low ports and pings: no user in it needs a capability for them. It is an
    /// extra: a kernel without IPv4 has neither.
    private static func setNetworkDefaults(except own: [String: String]) {
        let defaults = ["net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"]
        for (name, value) in defaults where own[name] == nil { try? KernelParameter.write(name, value) }
    }

    /// Sets the pod's own kernel parameters, those of its interfaces included, and remembers it: what a container changes later
    /// stays. Called on a thread that may be used up.
    static func applySysctls(of sandbox: PodSandbox) throws(KernelError) {
        guard !sandbox.sysctls.isEmpty, !FileSystem.exists(sandbox.sysctlsMark) else { return }
        try DedicatedThread.run { () throws(KernelError) in
            for (name, type) in sandbox.namespaces where type == CLONE_NEWNET || type == CLONE_NEWIPC {
                try enter(name, type, of: sandbox)
            }
            let sysctls = sandbox.sysctls.sorted { $0.key < $1.key }
            for (name, value) in sysctls where name.hasPrefix("net.") { try KernelParameter.write(name, value) }
            // The others only the root of the namespace's owner may write: no capability helps. This thread alone becomes it.
            if let root = sandbox.ids?.first { try kernelCall("setresuid") { CLinux_setresuid(root) } }
            for (name, value) in sysctls where !name.hasPrefix("net.") { try KernelParameter.write(name, value) }
        }
        try FileSystem.writeAtomically(sandbox.sysctlsMark, [], durable: false)
    }

    /// Unpins everything. The kernel tears a namespace down in the background once its last process is gone.
    static func remove(_ sandbox: PodSandbox) throws(KernelError) {
        // Never the path that the containers have, which may be the host's.
        try Mount.unmount(sandbox.ownSharedMemoryPath)
        for (name, _) in sandbox.namespaces {
            while try Mount.unmount(sandbox.namespacePath(name)) {}
        }
    }
}
