internal import KubernetesAPI

/// What a pod gets from its service account: a name, the means to talk to the API, and credentials for images.
///
/// Pods of manifest files never pass here; their mirrors do and stay as they are.
struct ServiceAccountAdmission {
    /// Where clients look for what they need to talk to the API (Kubernetes: `client-go/rest.InClusterConfig`).
    static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    /// The ConfigMap that holds the certificate the API is trusted by.
    static let rootCertificateName = "kube-root-ca.crt"
    static let defaultAccount = "default"
    private static let volumePrefix = "kube-api-access-"
    /// Seconds: an hour, and seven more that tell it from an hour that somebody asked for.
    private static let tokenSeconds: Int64 = 3607

    /// The account of the pod's namespace with this name; nil when there is none.
    let account: (String) -> JSONValue?
    /// Makes the name of the volume from its prefix.
    let volumeName: (String) -> String

    init(account: @escaping (String) -> JSONValue?, volumeName: @escaping (String) -> String = GeneratedName.make) {
        self.account = account
        self.volumeName = volumeName
    }

    /// The mirror of a pod that a node runs from a file.
    static func isMirror(_ pod: JSONValue) -> Bool {
        pod[path: "metadata", "annotations", Pod.mirrorAnnotation] != nil
    }

    func admit(_ pod: inout JSONValue) throws(APIStatusError) {
        guard pod["spec"]?.objectValue != nil, !Self.isMirror(pod) else { return }
        var name = pod.string("spec", "serviceAccountName")
        if name.isEmpty { name = pod.string("spec", "serviceAccount") }
        if name.isEmpty { name = Self.defaultAccount }
        pod.set(.string(name), at: "spec", "serviceAccountName")
        guard let account = account(name) else {
            throw .forbidden(
                ResourceID(group: "", plural: "pods"), pod.string("metadata", "name"),
                "error looking up service account \(pod.string("metadata", "namespace"))/\(name): "
                    + "serviceaccount \"\(name)\" not found")
        }
        let mounts = pod[path: "spec", "automountServiceAccountToken"]?.boolValue
        if mounts ?? account["automountServiceAccountToken"]?.boolValue ?? true { addToken(to: &pod) }
        if pod.list("spec", "imagePullSecrets").isEmpty, !account.list("imagePullSecrets").isEmpty {
            pod.set(account["imagePullSecrets"], at: "spec", "imagePullSecrets")
        }
    }

    /// Mounts the volume into every container that has nothing at its place.
    private func addToken(to pod: inout JSONValue) {
        let volumes = pod.list("spec", "volumes")
        let present = volumes.map { $0.string("name") }.first { $0.hasPrefix(Self.volumePrefix) }
        let name = present ?? volumeName(Self.volumePrefix)
        var isUsed = false
        for list in ["initContainers", "containers"] {
            guard case .array(var containers)? = pod[path: "spec", list] else { continue }
            for index in containers.indices where Self.lacksMount(containers[index]) {
                let mount: JSONValue = [
                    "name": .string(name), "readOnly": true, "mountPath": .string(Self.mountPath),
                ]
                let mounts = containers[index].list("volumeMounts") + [mount]
                containers[index]["volumeMounts"] = .array(mounts)
                isUsed = true
            }
            pod.set(.array(containers), at: "spec", list)
        }
        if isUsed, present == nil { pod.set(.array(volumes + [Self.volume(name)]), at: "spec", "volumes") }
    }

    /// Also false for what is no container: that is for the decoder to tell.
    private static func lacksMount(_ container: JSONValue) -> Bool {
        guard container.objectValue != nil else { return false }
        return !container.list("volumeMounts").contains { mount in
            let path = mount.string("mountPath")
            return path == mountPath || path == mountPath + "/"
        }
    }

    private static func volume(_ name: String) -> JSONValue {
        [
            "name": .string(name),
            "projected": [
                "defaultMode": 0o644,
                "sources": [
                    ["serviceAccountToken": ["expirationSeconds": .integer(tokenSeconds), "path": "token"]],
                    [
                        "configMap": [
                            "name": .string(rootCertificateName), "items": [["key": "ca.crt", "path": "ca.crt"]],
                        ]
                    ],
                    [
                        "downwardAPI": [
                            "items": [
                                [
                                    "path": "namespace",
                                    "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"],
                                ]
                            ]
                        ]
                    ],
                ],
            ],
        ]
    }
}
