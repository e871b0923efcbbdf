public import KubernetesAPI
public import KubernetesClient

/// The two things a scheduler writes.
public protocol PodAssignment: Sendable {
    /// Assigns a pod to a node, for good.
    func bind(_ pod: Pod, to nodeName: String) async throws(APIError)
    /// Merges one condition into the pod's status.
    func setCondition(_ condition: PodCondition, of pod: Pod) async throws(APIError)
}

extension APIClient: PodAssignment {
    public func bind(_ pod: Pod, to nodeName: String) async throws(APIError) {
        try await bind(
            podNamespace: pod.metadata.namespace ?? "", podName: pod.metadata.name ?? "", uid: pod.metadata.uid,
            nodeName: nodeName)
    }

    public func setCondition(_ condition: PodCondition, of pod: Pod) async throws(APIError) {
        var entry: JSONValue = ["type": .string(condition.type), "status": .string(condition.status)]
        entry["reason"] = condition.reason.map(JSONValue.string)
        entry["message"] = condition.message.map(JSONValue.string)
        entry["lastTransitionTime"] = (condition.lastTransitionTime?.rfc3339).map(JSONValue.string)
        var body: JSONValue = ["status": ["conditions": [entry]]]
        // With the uid the server refuses the patch for a later pod of the same name.
        if let uid = pod.metadata.uid { body["metadata"] = ["uid": .string(uid)] }
        _ = try await patch(
            Pod.self, namespace: pod.metadata.namespace, name: pod.metadata.name ?? "", subresource: "status",
            type: .strategicMerge, body: body)
    }
}
