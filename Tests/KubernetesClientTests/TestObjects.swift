import KubernetesAPI
import Logging

@testable import KubernetesClient

/// Small objects by name, version and uid.
func configMap(_ name: String, version: String, uid: String = "u1", value: String = "") -> ConfigMap {
    ConfigMap(
        metadata: ObjectMeta(name: name, namespace: "ns", uid: uid, resourceVersion: version), data: ["k": value])
}

func configMapJSON(_ name: String, version: String, uid: String = "u1") -> String {
    #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\#(name)","namespace":"ns","uid":"\#(uid)","#
        + #""resourceVersion":"\#(version)"},"data":{"k":""},"fieldOfTheFuture":{"a":[1]}}"#
}

extension Logger {
    /// Says nothing.
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
