internal import KubernetesAPI

/// Binding pods to nodes.
extension ResourceOperations {
    /// Sets the node of a pod that has none and marks it as scheduled.
    func bind(
        _ resource: RegisteredResource, namespace: String?, name: String, node: String, uid: String?,
        options: WriteOptions
    ) async throws(APIStatusError) {
        let key = resource.key(namespace: namespace, name: name)
        for attempt in 1...Self.conflictRetryLimit {
            let current = try get(resource, namespace: namespace, name: name)
            try checkBindable(current, uid: uid)
            if options.isDryRun { return }
            var value = current.value
            value.set(.string(node), at: "spec", "nodeName")
            setScheduled(&value)
            do {
                _ = try await write(key, expecting: .version(current.resourceVersion), .put(value))
                return
            } catch  where error.reason == "Conflict" && attempt < Self.conflictRetryLimit {
                continue
            }
        }
    }

    private func checkBindable(_ current: StoredObject, uid: String?) throws(APIStatusError) {
        let name = current.key.name
        let conflict = { (why: String) in
            APIStatusError.conflict(ResourceID(group: "", plural: "pods/binding"), name, why)
        }
        if let uid, !uid.isEmpty, uid != current.uid {
            throw conflict("Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)")
        }
        if current.isBeingDeleted { throw conflict("pod \(name) is being deleted, cannot be assigned to a host") }
        let present = current.value.string("spec", "nodeName")
        if !present.isEmpty { throw conflict("pod \(name) is already assigned to node \"\(present)\"") }
        if !current.value.list("spec", "schedulingGates").isEmpty {
            throw conflict("pod \(name) has non-empty .spec.schedulingGates")
        }
    }

    private func setScheduled(_ value: inout JSONValue) {
        var conditions = value.list("status", "conditions").filter { $0.string("type") != "PodScheduled" }
        conditions.append([
            "type": "PodScheduled", "status": "True", "lastProbeTime": nil,
            "lastTransitionTime": .string(now.rfc3339),
        ])
        value.set(.array(conditions), at: "status", "conditions")
    }
}
