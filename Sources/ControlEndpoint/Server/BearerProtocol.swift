internal import KubernetesAPI
internal import NIOHTTP1

/// The token of a client that can give a WebSocket's request no header of its own, as a browser: kube-apiserver reads it from among the
/// protocols that are offered, and passes it on to nobody.
enum BearerProtocol {
    private static let header = "sec-websocket-protocol"
    private static let prefix = "base64url.bearer.authorization.k8s.io."

    /// Nil when there is none, more than one, or one that is no text in Base64.
    static func token(in headers: HTTPHeaders) -> String? {
        let found = headers[canonicalForm: header].filter { $0.hasPrefix(prefix) }
        guard found.count == 1, found[0].utf8.count <= 2 * JSONWebToken.lengthLimit else { return nil }
        let coded = found[0].dropFirst(prefix.count).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        let padded = String(coded) + String(repeating: "=", count: (4 - coded.count % 4) % 4)
        guard let bytes = Base64.decode(padded), let token = String(validating: bytes, as: UTF8.self),
            !token.isEmpty, token.utf8.count <= JSONWebToken.lengthLimit
        else { return nil }
        return token
    }

    /// Leaves the other protocols.
    static func remove(from headers: inout HTTPHeaders) {
        let offered = headers[canonicalForm: header]
        let others = offered.filter { !$0.hasPrefix(prefix) }
        guard others.count < offered.count else { return }
        headers.remove(name: header)
        if !others.isEmpty { headers.add(name: "Sec-WebSocket-Protocol", value: others.joined(separator: ", ")) }
    }
}
