import KubernetesAPI

/// Where a pod's files and cgroup are. Names of the API form paths only after validation: a UID or name with a slash never
/// reaches this node (API validation), and is refused here again.
struct PodPlaces: Sendable {
    let podsDirectory: String
    let logsDirectory: String
    let containerLogLinksDirectory: String
    /// With the claims of the node's own manifests.
    let claimsDirectory: String

    func directory(_ uid: String) -> String { podsDirectory + "/" + uid }

    func hostsFile(_ uid: String) -> String { directory(uid) + "/etc-hosts" }

    func resolvConf(_ uid: String) -> String { directory(uid) + "/resolv.conf" }

    /// Bound into one attempt of a container, which leaves its last words there.
    func terminationMessage(_ uid: String, container: String, attempt: UInt32) -> String {
        "\(terminationMessages(uid))/\(container)/\(attempt)"
    }

    /// How the pod is to end, when the node has decided that.
    func endDecision(_ uid: String) -> String { directory(uid) + "/end.json" }

    /// Those of all containers.
    func terminationMessages(_ uid: String) -> String { directory(uid) + "/containers" }

    /// An emptyDir volume on disk.
    func emptyDirectory(_ uid: String, volume: String) -> String {
        "\(directory(uid))/volumes/kubernetes.io~empty-dir/\(volume)"
    }

    /// The directory of a claim that has no volume of its own; nil for names that are no path components.
    func claim(_ name: String, namespace: String) -> String? {
        guard Self.isSafe(uid: name), Self.isSafe(uid: namespace), !name.hasPrefix("."), !namespace.hasPrefix(".")
        else {
            return nil
        }
        return "\(claimsDirectory)/\(namespace)/\(name)"
    }

    func logDirectory(_ pod: Pod) -> String {
        "\(logsDirectory)/\(pod.metadata.namespace ?? "")_\(pod.metadata.name ?? "")_\(pod.metadata.uid ?? "")"
    }

    func logDirectory(_ pod: Pod, container: String) -> String { logDirectory(pod) + "/" + container }

    func log(_ pod: Pod, container: String, attempt: UInt32) -> String {
        logDirectory(pod, container: container) + "/\(attempt).log"
    }

    /// The name log shippers look for: `<pod>_<namespace>_<container>-<id>.log`.
    func logLink(_ pod: Pod, container: String, id: String) -> String {
        "\(containerLogLinksDirectory)/\(logLinkPrefix(pod, container: container))\(id).log"
    }

    func logLinkPrefix(_ pod: Pod, container: String) -> String {
        "\(pod.metadata.name ?? "")_\(pod.metadata.namespace ?? "")_\(container)-"
    }

    /// Of all pods together.
    static let podsCgroup = "kubepods"

    /// `kubepods/<class>/pod<uid>`; guaranteed pods are directly under kubepods.
    static func cgroup(_ pod: Pod) -> String {
        let uid = pod.metadata.uid ?? ""
        return switch pod.qosClass {
        case .guaranteed: "kubepods/pod\(uid)"
        case .burstable: "kubepods/burstable/pod\(uid)"
        case .bestEffort: "kubepods/besteffort/pod\(uid)"
        }
    }

    /// Where the pod's cgroup may be. Of an orphan only the names and the UID are known, and so not its class.
    static func cgroups(_ pod: Pod) -> [String] {
        guard pod.spec.containers.isEmpty else { return [cgroup(pod)] }
        let uid = pod.metadata.uid ?? ""
        return ["kubepods/pod\(uid)", "kubepods/burstable/pod\(uid)", "kubepods/besteffort/pod\(uid)"]
    }

    /// A UID that is one harmless path component.
    static func isSafe(uid: String) -> Bool {
        !uid.isEmpty && uid.utf8.count <= 128 && uid != "." && uid != ".."
            && uid.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
