import CLinux
import CNftables
import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// libnftables, one script at a time, in the calling thread's network namespace.
enum Nftables {
    /// What the library says when it cannot do its work: the first line of its message.
    struct Failure: Error, Hashable, Sendable {
        let message: String
    }

    /// The library keeps the interfaces' names in a process-wide cache without a lock of its own.
    private static let lock = Mutex(())

    /// Runs a script as one transaction and gives what it printed.
    static func run(_ script: String) throws(Failure) -> String {
        // nft_ctx_new ends the process when the kernel has no netfilter netlink; so that is found out first.
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        do throws(KernelError) {
            _ = OwnedDescriptor(owning: try kernelCall("open nftables") { socket(AF_NETLINK, type, NETLINK_NETFILTER) })
        } catch {
            throw Failure(message: "\(error)")
        }
        return try lock.withLock { _ in Result { () throws(Failure) in try execute(script) } }.get()
    }

    private static func execute(_ script: String) throws(Failure) -> String {
        guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else {
            throw Failure(message: "libnftables: no memory")
        }
        defer { nft_ctx_free(context) }
        guard nft_ctx_buffer_output(context) == 0, nft_ctx_buffer_error(context) == 0 else {
            throw Failure(message: "libnftables: no memory")
        }
        if nft_run_cmd_from_buffer(context, script) == 0 {
            return nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? ""
        }
        let text = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
        throw Failure(message: text.split(separator: "\n").first.map(String.init) ?? "libnftables: unknown error")
    }
}
