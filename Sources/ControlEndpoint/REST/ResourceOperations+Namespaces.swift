internal import KubernetesAPI
internal import Logging

/// The life of namespaces: made at start, filled with a default service account, emptied before they go.
extension ResourceOperations {
    private static var namespaces: ResourceID { ResourceID(group: "", plural: "namespaces") }
    private static var serviceAccounts: ResourceID { ResourceID(group: "", plural: "serviceaccounts") }

    /// What every installation has: the system namespaces, their service accounts and the service `kubernetes`.
    func createSystemObjects(apiPort: Int) async throws(APIStatusError) {
        if let resource = registry.resource(Self.namespaces) {
            for name in NamespaceStrategy.systemNamespaces {
                let body: JSONValue = ["metadata": ["name": .string(name)]]
                try await createIfAbsent(resource, namespace: nil, name: name, body)
            }
        }
        try await createDefaultRoles()
        try await createPriorityClasses()
        for namespace in store.list(Self.namespaces).objects where !namespace.isBeingDeleted {
            await fillNamespace(namespace.key.name)
        }
        try await publishClientAuthority()
        if let resource = registry.resource(ResourceID(group: "", plural: "services")) {
            let body: JSONValue = [
                "metadata": [
                    "name": "kubernetes", "labels": ["component": "apiserver", "provider": "kubernetes"],
                ],
                "spec": [
                    "clusterIP": .string(serviceAddresses.first), "type": "ClusterIP", "sessionAffinity": "None",
                    "ports": [
                        [
                            "name": "https", "port": 443, "protocol": "TCP",
                            "targetPort": .integer(Int64(apiPort)),
                        ]
                    ],
                ],
            ]
            try await createIfAbsent(resource, namespace: "default", name: "kubernetes", body)
        }
        await refreshAllPolicies()
    }

    /// Where servers beside the endpoint, such as the agents of nodes, look up who signs the certificates of its clients.
    private func publishClientAuthority() async throws(APIStatusError) {
        guard let rootCertificatePEM, let resource = registry.resource(ResourceID(group: "", plural: "configmaps"))
        else {
            return
        }
        let (namespace, name) = ("kube-system", "extension-apiserver-authentication")
        let data: JSONValue = ["client-ca-file": .string(rootCertificatePEM)]
        try await createIfAbsent(
            resource, namespace: namespace, name: name, ["metadata": ["name": .string(name)], "data": data])
        guard let stored = store.get(resource.key(namespace: namespace, name: name)), stored.value["data"] != data
        else {
            return
        }
        var value = stored.value
        value["data"] = data
        _ = try await write(stored.key, expecting: .version(stored.resourceVersion), .put(value))
    }

    /// A stop may have come in the midst of the emptying of a namespace, or between it and the namespace's end.
    func resumeDeletionsOfNamespaces() async {
        for namespace in store.list(Self.namespaces).objects where namespace.isBeingDeleted {
            await emptyNamespace(namespace.key.name)
        }
    }

    private func createDefaultRoles() async throws(APIStatusError) {
        do {
            for role in DefaultRoles.clusterRoles { try await createIfAbsent(role) }
            for binding in DefaultRoles.clusterBindings { try await createIfAbsent(binding) }
        } catch let error as APIStatusError {
            throw error
        } catch {
            throw .internalError("\(error)")
        }
    }

    private func createPriorityClasses() async throws(APIStatusError) {
        do {
            for (name, value) in PriorityClass.system {
                let description =
                    name == "system-node-critical"
                    ? "Used for system critical pods that must not be moved from their current node."
                    : "Used for system critical pods that must run in the cluster, but can be moved to another node if "
                        + "necessary."
                try await createIfAbsent(
                    PriorityClass(metadata: ObjectMeta(name: name), value: value, description: description))
            }
        } catch let error as APIStatusError {
            throw error
        } catch {
            throw .internalError("\(error)")
        }
    }

    private func createIfAbsent<Object: KubernetesResource>(_ object: Object) async throws {
        let definition = Object.definition
        guard let resource = registry.resource(ResourceID(group: definition.group, plural: definition.plural)) else {
            return
        }
        try await createIfAbsent(
            resource, namespace: nil, name: object.metadata.name ?? "", try JSONValueEncoder().encode(object))
    }

    private func createIfAbsent(
        _ resource: RegisteredResource, namespace: String?, name: String, _ body: JSONValue
    ) async throws(APIStatusError) {
        if store.get(resource.key(namespace: namespace, name: name)) != nil { return }
        do {
            _ = try await create(resource, namespace: namespace, body: body, options: WriteOptions())
        } catch  where error.reason == "AlreadyExists" {
            return
        }
    }

    /// What pods of a namespace need from their first moment on: their account, and the certificate they trust the API by.
    /// The publisher of the certificate makes it again later; a pod that is created right after its namespace would wait
    /// for it.
    func fillNamespace(_ namespace: String) async {
        await ensureDefaultServiceAccount(namespace: namespace)
        guard let rootCertificatePEM, let resource = registry.resource(ResourceID(group: "", plural: "configmaps"))
        else { return }
        let name = ServiceAccountAdmission.rootCertificateName
        let body: JSONValue = [
            "metadata": [
                "name": .string(name),
                "annotations": [
                    "kubernetes.io/description":
                        "Contains a CA bundle that can be used to verify the API server by its own names and addresses."
                ],
            ],
            "data": ["ca.crt": .string(rootCertificatePEM)],
        ]
        do {
            try await createIfAbsent(resource, namespace: namespace, name: name, body)
        } catch {
            // The publisher will try again.
            logger.debug(
                "root certificate not published yet",
                metadata: ["namespace": "\(namespace)", "reason": "\(error.message)"])
        }
    }

    func ensureDefaultServiceAccount(namespace: String) async {
        guard let resource = registry.resource(Self.serviceAccounts),
            let found = store.get(ObjectKey(resource: Self.namespaces, namespace: "", name: namespace)),
            !found.isBeingDeleted
        else { return }
        let body: JSONValue = ["metadata": ["name": "default"]]
        do {
            try await createIfAbsent(resource, namespace: namespace, name: "default", body)
        } catch {
            logger.warning(
                "default service account not created",
                metadata: ["namespace": "\(namespace)", "reason": "\(error.message)"])
        }
    }

    /// Marks a namespace as terminating and starts to empty it.
    func deferDeletion(of current: StoredObject) async throws(APIStatusError) -> DeletionResult {
        var result = DeletionResult(object: current, isGone: false)
        if !current.isBeingDeleted {
            var value = current.value
            value.set(.string(now.rfc3339), at: "metadata", "deletionTimestamp")
            value.set("Terminating", at: "status", "phase")
            result.object = try await write(current.key, expecting: .version(current.resourceVersion), .put(value))
        }
        await emptyNamespace(current.key.name)
        result.isGone = store.get(current.key) == nil
        return result
    }

    /// Asks every object of a terminating namespace to go; pods take their grace period. An orderly stop ends it early.
    private func emptyNamespace(_ namespace: String) async {
        let requests = store.objects(inNamespace: namespace).compactMap { object in
            registry.resource(object.key.resource).map { ($0, object.key) }
        }
        await inBatches(requests) { [self] resource, key in
            do throws(APIStatusError) {
                _ = try await delete(resource, namespace: namespace, name: key.name, request: DeletionRequest())
            } catch  where error.reason == "NotFound" {
                return
            } catch {
                logger.warning(
                    "object of a terminating namespace not deleted",
                    metadata: ["object": "\(key)", "reason": "\(error.message)"])
            }
        }
        await finalizeNamespace(namespace)
    }

    /// Removes a terminating namespace that is empty. Called after everything that may have emptied it.
    func finalizeNamespace(_ namespace: String) async {
        let key = ObjectKey(resource: Self.namespaces, namespace: "", name: namespace)
        guard let current = store.get(key), current.isBeingDeleted, current.finalizers.isEmpty,
            store.isEmpty(namespace: namespace)
        else { return }
        do {
            _ = try await write(key, expecting: .version(current.resourceVersion), .delete)
        } catch  where error.reason == "NotFound" || error.reason == "Conflict" {
            // Another request finished it, or changed it and will finish it.
            return
        } catch {
            logger.warning(
                "terminating namespace not removed",
                metadata: ["namespace": "\(namespace)", "reason": "\(error.message)"])
        }
    }
}
