internal import KubernetesAPI
internal import NIOCore
internal import Streaming

/// The ways to the APIs of nodes.
extension EndpointAPI {
    /// By the node's own account (`status.daemonEndpoints` and `status.addresses`); the node beside the endpoint is on the loopback.
    func place(ofNode name: String) throws(APIStatusError) -> NodePlace {
        guard let resource = operations.registry.resource(ResourceID(group: "", plural: "nodes")) else {
            throw .pathNotFound
        }
        let node = try operations.get(resource, namespace: nil, name: name)
        guard let place = place(of: node) else {
            throw .unavailable("node \(name) serves no API: its status names no kubelet port or no address")
        }
        return place
    }

    /// Nil when the node has not said where its API is.
    func place(of node: StoredObject) -> NodePlace? {
        let port = node.value[path: "status", "daemonEndpoints", "kubeletEndpoint", "Port"]?.intValue ?? 0
        guard (1...65535).contains(port) else { return nil }
        if node.key.name == ownNode { return NodePlace(name: node.key.name, address: "127.0.0.1", port: Int(port)) }
        let address = node.value.list("status", "addresses").first { $0.string("type") == "InternalIP" }
        guard let text = address?.string("address"), !text.isEmpty else { return nil }
        return NodePlace(name: node.key.name, address: text, port: Int(port))
    }

    /// The log of a container on a node elsewhere.
    func remoteLog(
        _ pod: StoredObject, container: String, query: QueryParameters
    ) async throws(APIStatusError) -> any AsyncSequence<ByteBuffer, any Error> & Sendable {
        guard let backends else { throw .unavailable("logs are not available from this endpoint: no node is attached") }
        let place = try place(ofNode: pod.value.string("spec", "nodeName"))
        let wanted = ["follow", "previous", "timestamps", "tailLines", "sinceSeconds", "sinceTime", "limitBytes"]
        let parameters = wanted.filter { !query.all($0).isEmpty }.map { (name: $0, value: query[$0]) }
        var target = "/containerLogs/\(pod.key.namespace)/\(pod.key.name)/\(container)"
        if !parameters.isEmpty { target += "?" + UpgradeRequest.query(parameters) }
        do {
            let answer = try await backends.send(BackendRequest(target: target), to: place)
            guard answer.status == 200 else {
                let text = String(buffer: (try? await answer.body.collect(upTo: 1 << 16)) ?? ByteBuffer())
                throw APIStatusError.ofNode(place.name, status: answer.status, text)
            }
            return answer.body
        } catch let error as APIStatusError {
            throw error
        } catch {
            throw .nodeUnreachable(place, error)
        }
    }
}

extension APIStatusError {
    static func nodeUnreachable(_ place: NodePlace, _ error: any Error) -> APIStatusError {
        APIStatusError(
            code: 502, reason: "",
            message: "node \(place.name) cannot be asked at \(place.address):\(place.port): \(error)")
    }

    /// What a node says against a request; that it does not know the endpoint is nothing the asker has done.
    static func ofNode(_ name: String, status: Int, _ text: String) -> APIStatusError {
        let message = text.split(separator: "\n").first.map(String.init) ?? "status \(status)"
        switch status {
        case 400: return .badRequest(message)
        case 404: return APIStatusError(code: 404, reason: "NotFound", message: message)
        case 401, 403:
            return APIStatusError(
                code: 502, reason: "",
                message: "node \(name) does not let the endpoint in (\(message)): give its agent --client-ca-file")
        default: return APIStatusError(code: 502, reason: "", message: "node \(name): \(message)")
        }
    }
}
