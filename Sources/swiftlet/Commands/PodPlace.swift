import KubernetesAPI

/// A container of a pod on this node, for the paths of the node's API.
struct PodPlace {
    let namespace: String
    let pod: String
    /// Nil leaves it to the node: the one that the pod names as its default, else its first.
    let container: String?
    /// The container has a terminal of its own; looked up only for those who join it.
    let isTerminal: Bool

    init(_ options: StreamOptions, _ client: LocalClient, needsTerminal: Bool) async throws {
        let parts = options.pod.split(separator: "/", maxSplits: 1).map(String.init)
        let (namespace, name) =
            parts.count == 2 ? (parts[0], parts[1]) : (options.namespace ?? "default", options.pod)
        self.namespace = namespace
        pod = name
        if !needsTerminal {
            container = options.container
            isTerminal = false
            return
        }
        let list = try await client.json(.GET, "/v1/pods", [("namespace", namespace), ("name", name)])
        guard let found = list["items"]?.arrayValue?.first else {
            throw SettingError("pod \(namespace)/\(name) is not on this node")
        }
        let containers = found["spec"]?["containers"]?.arrayValue ?? []
        let all = ["initContainers", "ephemeralContainers"].reduce(containers) {
            $0 + (found["spec"]?[$1]?.arrayValue ?? [])
        }
        let named = found["metadata"]?["annotations"]?["kubectl.kubernetes.io/default-container"]?.stringValue
        guard let chosen = options.container ?? named ?? containers.first?["name"]?.stringValue else {
            throw SettingError("pod \(namespace)/\(name) has no container")
        }
        container = chosen
        isTerminal = all.first { $0["name"]?.stringValue == chosen }?["tty"]?.boolValue ?? false
    }
}
