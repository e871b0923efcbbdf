import ArgumentParser

/// Where the node's HTTPS API is and how it proves itself; names are kubelet's.
struct NodeAPIOptions: ParsableArguments {
    @Option(help: "Address it listens on. (default: 127.0.0.1 beside an endpoint of its own, else 0.0.0.0)")
    var address: String?

    @Option(
        name: .customLong("client-ca-file"),
        help: "Authorities that sign clients' certificates, PEM. Without it clients of `agent` need tokens.")
    var clientCAFile: String?

    @Option(help: "Its certificate, PEM, with that of intermediate authorities. (default: one it makes itself)")
    var tlsCertFile: String?

    @Option(help: "The key of --tls-cert-file, PEM.")
    var tlsPrivateKeyFile: String?
}
