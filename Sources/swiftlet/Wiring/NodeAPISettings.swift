import LinuxKernel
import NIOCore
import PodNetwork

/// The node's HTTPS API after flags, configuration file and defaults.
struct NodeAPISettings: Sendable {
    let address: String?
    let clientCAFile: String?
    let certificateFile: String?
    let keyFile: String?
    /// An agent without a certificate of the administrator's asks its API server to sign one.
    let asksForServing: Bool

    /// Kubelet's default: an API server elsewhere has to reach it.
    var addressAlone: String { address ?? "0.0.0.0" }
    /// Of a node whose API server is beside it.
    var addressBesideEndpoint: String { address ?? "127.0.0.1" }

    init(_ options: NodeAPIOptions, _ file: ConfigurationFile) throws {
        address = try options.address ?? file.text("address")
        if let address, IPAddress(address) == nil {
            throw SettingError("--address \(address): not an IP address; give one of this host's, or 0.0.0.0")
        }
        clientCAFile = try options.clientCAFile ?? file.text("clientCAFile", in: "authentication", "x509")
        certificateFile = try options.tlsCertFile ?? file.text("tlsCertFile")
        keyFile = try options.tlsPrivateKeyFile ?? file.text("tlsPrivateKeyFile")
        asksForServing = try certificateFile == nil && file.flag("serverTLSBootstrap") ?? true
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw SettingError("--tls-cert-file and --tls-private-key-file belong together: give both or none")
        }
    }

    /// The endpoint beside it comes over the loopback, and gives it its certificates.
    func checkReachesLoopback() throws {
        guard ["127.0.0.1", "0.0.0.0"].contains(addressBesideEndpoint) else {
            throw SettingError(
                "--address \(addressBesideEndpoint): the endpoint of `up` reaches the node over the loopback; "
                    + "give 0.0.0.0, or leave it out")
        }
        if clientCAFile != nil || certificateFile != nil {
            throw SettingError(
                "--client-ca-file and --tls-cert-file are for `swiftlet agent`: the endpoint of `up` issues both")
        }
    }

    static func read(_ path: String, flag: String) throws -> [UInt8] {
        do throws(KernelError) { return try FileSystem.read(path) } catch {
            throw SettingError("\(flag) \(path): cannot be read: \(error.errno)")
        }
    }
}
