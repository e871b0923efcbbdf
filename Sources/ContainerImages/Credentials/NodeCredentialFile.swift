import LinuxKernel
import SystemPackage

/// The node's own credentials for registries: a docker `config.json`, read anew for each pull. An absent file is none.
public struct NodeCredentialFile: Sendable {
    public let path: String

    public init(path: String) {
        self.path = path
    }

    /// - Throws: ``ImageError/Code/invalidCredentials`` for a file that is there and cannot be used.
    public func keyring() async throws(ImageError) -> RegistryKeyring {
        let path = path
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes = try await KernelThreadPool.shared.run { () throws(KernelError) in try FileSystem.read(path) }
        } catch {
            if error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory { return RegistryKeyring() }
            throw ImageError(.invalidCredentials, "\(path): cannot be read: \(error.errno)")
        }
        return try RegistryKeyring(parsing: bytes, source: .node, subject: path)
    }
}
