internal import Glibc
internal import KubernetesAPI
public import KubernetesClient
internal import LinuxKernel
public import Logging

/// What a node that joined an API server shows to those who connect to it, and by what it knows them.
///
/// It begins with a certificate that it made for itself, as a kubelet does, and asks the API server for a signed one
/// (`serverTLSBootstrap`). Swiftlet's own endpoint signs it at once; with another API server somebody approves it. Until then, and
/// without it, the node serves all the same: who insists on a proof of its name does not get one.
public struct JoinedNodeCertificates: Sendable {
    private let client: APIClient
    private let nodeName: String
    private let addresses: [String]
    private let path: String
    private let authorities: ClientAuthorities
    private let trustedPEM: String
    private let asksForServing: Bool
    private let replace: @Sendable (Credential) -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - directory: of the node's own certificates.
    ///   - addresses: of the node; that of the API server is left out, which no other certificate may name.
    ///   - trustedPEM: what signs the API server's certificate; empty when that is the system's affair.
    ///   - asksForServing: else the node has a certificate of the administrator's, or keeps its own.
    ///   - replace: takes each new certificate into use.
    public init(
        client: APIClient, nodeName: String, addresses: [String], directory: String, authorities: ClientAuthorities,
        trustedPEM: String, asksForServing: Bool, replace: @escaping @Sendable (Credential) -> Void, logger: Logger
    ) {
        self.client = client
        self.nodeName = nodeName
        let server = client.configuration.server.host
        self.addresses = addresses.filter { $0 != server }
        path = directory + "/kubelet-server.pem"
        self.authorities = authorities
        self.trustedPEM = trustedPEM
        self.asksForServing = asksForServing
        self.replace = replace
        self.logger = logger
    }

    /// Between looks at what is published and at the certificate's age.
    private static let interval = Duration.seconds(3600)
    /// Between attempts while something is missing; doubled up to the longest.
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(10)

    /// Until the task is cancelled.
    public func run() async {
        var current = stored()
        if let current { replace(current) }
        var pause = Self.firstPause
        while !Task.isCancelled {
            var isDone = false
            if await isRegistered() {
                await learnAuthorities()
                isDone = await renew(&current)
            }
            do { try await ContinuousClock().sleep(for: isDone ? Self.interval : pause) } catch { return }
            pause = isDone ? Self.firstPause : min(pause * 2, Self.longestPause)
        }
    }

    /// Whether the Node is in the API with its addresses, which who signs looks at.
    private func isRegistered() async -> Bool {
        do throws(APIError) {
            let known = try await client.get(Node.self, name: nodeName).status?.addresses ?? []
            return addresses.allSatisfy { address in known.contains { $0.address == address } }
        } catch { return false }
    }

    private var now: Int64 { Int64(Glibc.time(nil)) }

    private func stored() -> Credential? {
        guard asksForServing, FileSystem.exists(path), let text = try? FileSystem.readText(path, limit: 1 << 16) else {
            return nil
        }
        guard let found = try? Credential(pem: text), found.expiry > now else { return nil }
        return found
    }

    // MARK: Clients

    private static let published = (namespace: "kube-system", name: "extension-apiserver-authentication")

    /// The authority of client certificates is where API servers publish it. Others than Swiftlet's own let no node read that:
    /// `--client-ca-file` is for them.
    private func learnAuthorities() async {
        do throws(APIError) {
            let map = try await client.get(
                ConfigMap.self, namespace: Self.published.namespace, name: Self.published.name)
            do {
                try authorities.replace(published: map.data?["client-ca-file"] ?? "", trusted: trustedPEM)
            } catch {
                logger.warning("published client authority cannot be used", metadata: ["reason": "\(error)"])
            }
        } catch {
            logger.debug("client authority not published", metadata: ["reason": "\(error)"])
        }
    }

    // MARK: Serving

    /// - Returns: false when there is more to be done soon.
    private func renew(_ current: inout Credential?) async -> Bool {
        let names = ServingCertificateRequest.names(nodeName: nodeName, addresses: addresses)
        guard asksForServing,
            current?.serves(names, at: now, authorities: authorities.certificates) != true
        else { return true }
        do {
            let request = try ServingCertificateRequest(nodeName: nodeName, addresses: addresses)
            let made = try await client.create(
                CertificateSigningRequest(
                    metadata: ObjectMeta(generateName: "csr-"),
                    spec: CertificateSigningRequestSpec(
                        request: request.encoded, signerName: CertificateSigner.Signer.serving.rawValue,
                        usages: ["digital signature", "server auth"])))
            guard let certificate = try await answer(to: made) else { return true }
            let issued = try request.credential(certificate)
            try FileSystem.writeAtomically(path, Array(issued.pem.utf8), mode: 0o600)
            current = issued
            replace(issued)
            logger.info("node certificate issued", metadata: ["path": "\(path)"])
            return true
        } catch {
            logger.debug("node certificate not issued yet", metadata: ["reason": "\(error)"])
            return false
        }
    }

    /// The certificate in PEM, in base64; nil when it was refused.
    private func answer(to made: CertificateSigningRequest) async throws -> String? {
        var (request, isTold, pause) = (made, false, Self.firstPause)
        let name = made.metadata.name ?? ""
        while true {
            if let certificate = request.status?.certificate, !certificate.isEmpty { return certificate }
            let refusal = request.status?.conditions?.first { ["Denied", "Failed"].contains($0.type) }
            if let refusal {
                logger.warning(
                    "node certificate refused; the node keeps the one it has",
                    metadata: ["request": "\(name)", "reason": "\(refusal.reason ?? refusal.type)"])
                return nil
            }
            if !isTold {
                isTold = true
                logger.notice(
                    "node certificate waits for approval (kubectl certificate approve)",
                    metadata: ["request": "\(name)"])
            }
            if let newest = await change(of: request) {
                (request, pause) = (newest, Self.firstPause)
                continue
            }
            try await ContinuousClock().sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
            if let newest = try await look(name) { request = newest }
        }
    }

    /// The next state of a request; nil when the API server stops telling before there is one, or tells that it is gone.
    private func change(of request: CertificateSigningRequest) async -> CertificateSigningRequest? {
        let watch = client.watch(
            CertificateSigningRequest.self, fieldSelector: "metadata.name=\(request.metadata.name ?? "")",
            resourceVersion: request.metadata.resourceVersion ?? "")
        do {
            for try await event in watch {
                switch event {
                case .added(let newest), .modified(let newest): return newest
                case .deleted: return nil
                case .bookmark, .undecodable: continue
                }
            }
        } catch {
            logger.debug("watch of the node certificate's request ended", metadata: ["reason": "\(error)"])
        }
        return nil
    }

    /// Nil when the API server cannot be asked now: what was asked of it stays asked.
    /// - Throws: when the request is gone.
    private func look(_ name: String) async throws(APIError) -> CertificateSigningRequest? {
        do throws(APIError) {
            return try await client.get(CertificateSigningRequest.self, name: name)
        } catch {
            if error.isNotFound { throw error }
            return nil
        }
    }
}
