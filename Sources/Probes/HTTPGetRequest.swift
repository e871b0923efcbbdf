import KubernetesAPI
import NIOHTTP1

/// The request of an `httpGet` probe or hook.
struct HTTPGetRequest: Sendable {
    var url: ProbeURL
    /// As the author wants them, without `Host`.
    var headers: HTTPHeaders
    /// Nil means that of the URL.
    var host: String?

    init(
        _ action: HTTPGetAction, container: Container, podIP: String?, userAgent: String
    ) throws(ProbeAddressError) {
        let address = try ProbeAddress(host: action.host, port: action.port, container: container, podIP: podIP)
        let scheme: ProbeURL.Scheme = action.scheme?.lowercased() == "https" ? .https : .http
        url = ProbeURL(scheme: scheme, address: address, path: action.path ?? "/")
        headers = HTTPHeaders()
        for header in action.httpHeaders ?? [] {
            switch header.name.lowercased() {
            case "host": if host == nil && !header.value.isEmpty { host = header.value }
            // About a body, and there is none.
            case "content-length", "transfer-encoding", "trailer": break
            default: headers.add(name: header.name, value: header.value)
            }
        }
        setDefault("User-Agent", userAgent)
        setDefault("Accept", "*/*")
        headers.replaceOrAdd(name: "Connection", value: "close")
    }

    /// A header the author gave an empty value is left out.
    private mutating func setDefault(_ name: String, _ value: String) {
        if headers[name].isEmpty {
            headers.add(name: name, value: value)
        } else if headers[name].first?.isEmpty == true {
            headers.remove(name: name)
        }
    }

    var head: HTTPRequestHead {
        var fields = HTTPHeaders([("Host", host ?? url.authority)])
        fields.add(contentsOf: headers)
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: fields)
    }
}
