internal import NIOHTTP1

/// A request of a `proxy` subresource, as it is for what serves there.
struct ProxiedRequest: Sendable {
    enum Destination: Hashable, Sendable {
        case node(NodePlace)
        /// What listens in a pod, by itself or behind a service. Nobody vouches for a certificate there.
        case pod(ProxyBackend, scheme: String)
    }

    var destination: Destination
    /// Path and query there.
    var target: String
    /// What the client says to whoever serves; who it is stays here.
    var headers: HTTPHeaders
    /// The path of the endpoint that stands for the root there.
    var prefix: String
}

/// What of a message's head concerns one connection, or who asks here, and so is not passed on (RFC 9110, 7.6.1).
enum ProxyHeaders {
    private static let own: Set<String> = [
        "authorization", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Headers of a request, for what serves.
    static func passed(_ headers: some Sequence<(name: String, value: String)>) -> HTTPHeaders {
        let named = connectionOptions(headers)
        return HTTPHeaders(
            headers.filter { header in
                let name = header.name.lowercased()
                // Whoever trusts a front proxy's word on who asks must not take it from anybody.
                return !own.contains(name) && !named.contains(name) && !name.hasPrefix("impersonate-")
                    && !name.hasPrefix("x-remote-")
            }.map { ($0.name, $0.value) })
    }

    /// Headers of an answer, for the client.
    /// - Parameter prefix: what stands here for the root there.
    static func answered(_ headers: HTTPHeaders, prefix: String) -> HTTPHeaders {
        let named = connectionOptions(headers.lazy.map { (name: $0.name, value: $0.value) })
        var passed = HTTPHeaders()
        for (name, value) in headers {
            let lower = name.lowercased()
            guard !own.contains(lower), !named.contains(lower) else { continue }
            // A redirect on the same host stays behind the proxy.
            let isPath = lower == "location" && value.hasPrefix("/") && !value.hasPrefix("//")
            passed.add(name: name, value: isPath ? prefix + value : value)
        }
        return passed
    }

    /// Further headers that concern the connection alone.
    private static func connectionOptions(_ headers: some Sequence<(name: String, value: String)>) -> Set<String> {
        let values = headers.filter { $0.name.lowercased() == "connection" }.map(\.value)
        let names = values.flatMap { $0.split { $0 == "," || $0 == " " || $0 == "\t" } }
        return Set(names.map { $0.lowercased() })
    }
}
