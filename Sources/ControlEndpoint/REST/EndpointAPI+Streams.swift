internal import KubernetesAPI
internal import Streaming

/// Where the stream of a pod is served: a path of its node's API.
struct StreamTarget: Sendable {
    var place: NodePlace
    /// Path and query there.
    var target: String
}

/// `pods/NAME/exec`, `/attach` and `/portforward`.
extension EndpointAPI {
    private static let streams: Set<String> = ["attach", "exec", "portforward"]

    /// Whoever opens a stream runs something: `create` is needed whatever the method says.
    func streamTarget(_ request: UpgradeRequest, _ identity: Identity?) throws(APIStatusError) -> StreamTarget {
        let identity = try caller(of: request, identity)
        let call = APIRequest(method: request.method, target: request.target)
        guard call.method == "GET" || call.method == "POST" else { throw .methodNotAllowed }
        guard var info = try RequestInfo(method: "GET", path: call.path, isWatch: false) else { throw .pathNotFound }
        info.verb = .create
        try authorize(identity, info, call)
        guard let subresource = info.subresource, Self.streams.contains(subresource), info.group.isEmpty,
            info.resource == "pods", info.namespace != nil, let name = info.name,
            let resource = operations.registry.resource(for: info)
        else { throw .pathNotFound }
        let pod = try operations.get(resource, namespace: info.namespace, name: name)
        let phase = pod.value.string("status", "phase")
        let nodeName = pod.value.string("spec", "nodeName")
        guard !nodeName.isEmpty else { throw .badRequest("pod \(pod.key.name) does not have a host assigned") }
        let place = try place(ofNode: nodeName)
        let path: String
        if subresource == "portforward" {
            guard phase == "Running" else {
                throw .badRequest("unable to forward port because pod is not running. Current status=\(phase)")
            }
            path = "/portForward/\(segments(pod))"
        } else {
            if phase == "Succeeded" || phase == "Failed" {
                throw .badRequest(
                    "cannot \(subresource) into a container in a completed pod; current phase is \(phase)")
            }
            path =
                "/\(subresource)/\(segments(pod))/\(try streamContainer(call.query["container"], pod))"
                + "?" + (try nodeQuery(request))
        }
        return StreamTarget(place: place, target: path)
    }

    /// Whoever asks, or whom they act as.
    func caller(of request: UpgradeRequest, _ identity: Identity?) throws(APIStatusError) -> Identity {
        guard let identity, identity.expiry >= operations.now.seconds else { throw .unauthorized }
        let headers = request.headers.lazy.map { (name: $0.name, value: $0.value) }
        guard let other = Impersonation(headers: headers) else { return identity }
        return try other.identity(for: identity, operations.access)
    }

    private func streamContainer(_ wanted: String, _ pod: StoredObject) throws(APIStatusError) -> String {
        let name = try containerName(wanted, pod)
        let statuses = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
            .flatMap { pod.value.list("status", $0) }
        // What is running is the node's to say; what it has not even begun to start has no answer there.
        if statuses.first(where: { $0.string("name") == name })?[path: "state", "waiting"]?.objectValue != nil {
            throw .badRequest("container \(name) is not available: it is waiting to start")
        }
        return name
    }

    private func nodeQuery(_ request: UpgradeRequest) throws(APIStatusError) -> String {
        do throws(StreamingError) {
            return UpgradeRequest.query(try RemoteCommandRequest(query: request.query).nodeQuery)
        } catch { throw .badRequest(error.message) }
    }

    private func segments(_ pod: StoredObject) -> String {
        "\(pod.value.string("metadata", "namespace"))/\(pod.value.string("metadata", "name"))/\(pod.value.string("metadata", "uid"))"
    }
}
