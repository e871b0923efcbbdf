import KubernetesAPI

/// A container of a pod on this node, for the paths of the node's API.
struct PodPlace {
    let namespace: String
    let pod: String
    /// Nil leaves it to the node: the one that the pod names as its default, else its first.
    private(set) var container: String?
    /// The container has a terminal of its own, as far as that was looked up.
    private(set) var isTerminal = false

    init(_ options: StreamOptions) {
        let parts = options.pod.split(separator: "/", maxSplits: 1).map(String.init)
        (namespace, pod) = parts.count == 2 ? (parts[0], parts[1]) : (options.namespace ?? "default", options.pod)
        container = options.container
    }

    /// Asks the node which container is meant, and whether it has a terminal: for those who join it.
    mutating func findTerminal(_ client: LocalClient) async throws {
        let list = try await client.json(.GET, "/v1/pods", [("namespace", namespace), ("name", pod)])
        guard let found = list["items"]?.arrayValue?.first else {
            throw SettingError("pod \(namespace)/\(pod) is not on this node")
        }
        let containers = found["spec"]?["containers"]?.arrayValue ?? []
        let all = ["initContainers", "ephemeralContainers"].reduce(containers) {
            $0 + (found["spec"]?[$1]?.arrayValue ?? [])
        }
        let named = found["metadata"]?["annotations"]?["kubectl.kubernetes.io/default-container"]?.stringValue
        guard let chosen = container ?? named ?? containers.first?["name"]?.stringValue else {
            throw SettingError("pod \(namespace)/\(pod) has no container")
        }
        container = chosen
        isTerminal = all.first { $0["name"]?.stringValue == chosen }?["tty"]?.boolValue ?? false
    }
}
