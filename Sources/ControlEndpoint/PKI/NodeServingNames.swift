internal import KubernetesAPI
internal import SwiftASN1
internal import X509

/// Whether a node may have a certificate for the names it asks for without anybody's look. Pure but for what it reads of the store.
///
/// What the endpoint signs is trusted as the endpoint's own certificate is: a node that got one for the endpoint's name or address, or
/// for another node's, could stand in for that. So it gets one for its own name, and for addresses that it alone has.
struct NodeServingNames: Sendable {
    private let nodeName: String
    private let asked: [GeneralName]
    private let ownAddresses: Set<String>
    private let otherAddresses: Set<String>

    /// Nil for a node that has not registered itself.
    init?(_ request: X509.CertificateSigningRequest, of subject: String, _ store: ResourceStore) {
        guard subject.hasPrefix(Identity.nodePrefix) else { return nil }
        let name = String(subject.dropFirst(Identity.nodePrefix.count))
        let nodes = store.list(ResourceID(group: "", plural: "nodes")).objects
        guard let own = nodes.first(where: { $0.key.name == name }) else { return nil }
        self.init(
            nodeName: name, asked: CertificateSigner.alternativeNames(of: request), own: Self.addresses(of: own.value),
            others: Set(nodes.filter { $0.key.name != name }.flatMap { Self.addresses(of: $0.value) }))
    }

    init(nodeName: String, asked: [GeneralName], own: Set<String>, others: Set<String>) {
        self.nodeName = nodeName
        self.asked = asked
        ownAddresses = own
        otherAddresses = others
    }

    private static func addresses(of node: JSONValue) -> Set<String> {
        Set(
            node.list("status", "addresses").filter { ["InternalIP", "ExternalIP"].contains($0.string("type")) }
                .map { $0.string("address") })
    }

    /// - Parameter reserved: names and addresses of the endpoint.
    func areItsOwn(reserved: Set<String>) -> Bool {
        let (own, others) = (general(ownAddresses), general(otherAddresses))
        let taken = general(reserved)
        return asked.allSatisfy { name in
            switch name {
            case .dnsName(let text): text == nodeName && !taken.contains(name)
            case .ipAddress: own.contains(name) && !others.contains(name) && !taken.contains(name)
            default: false
            }
        }
    }

    private func general(_ names: Set<String>) -> Set<GeneralName> {
        Set(names.filter { !$0.isEmpty }.map(CertificateProfile.generalName))
    }
}
