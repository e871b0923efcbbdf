public import KubernetesAPI

extension ObjectReference {
    /// Points at an object, or a field of it.
    ///
    /// - Parameter fieldPath: e.g. `spec.containers{web}`.
    public init(to object: some KubernetesResource, fieldPath: String? = nil) {
        let definition = type(of: object).definition
        self.init(
            kind: definition.kind, namespace: object.metadata.namespace, name: object.metadata.name,
            uid: object.metadata.uid, apiVersion: definition.apiVersion,
            resourceVersion: object.metadata.resourceVersion, fieldPath: fieldPath)
    }

    /// Points at a node as a kubelet does: its name stands for its uid.
    public static func node(_ name: String) -> ObjectReference {
        ObjectReference(kind: "Node", name: name, uid: name, apiVersion: "v1")
    }
}
