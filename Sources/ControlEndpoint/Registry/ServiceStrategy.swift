internal import KubernetesAPI

/// Services: a virtual address from the service network, kept for life.
struct ServiceStrategy: ResourceStrategy {
    var hasStatus: Bool { true }
    var returnsDeletedObject: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = ["loadBalancer": [:]]
        guard object["spec"]?.objectValue != nil, object.string("spec", "type") != "ExternalName" else { return }
        let name = object.string("metadata", "name")
        let wanted = object.string("spec", "clusterIP")
        switch wanted {
        case "None":
            object.set(["None"], at: "spec", "clusterIPs")
        case "":
            if context.isDryRun { return }
            guard let address = context.serviceAddresses.allocate() else {
                throw .internalError("no free address is left in the service network for service \"\(name)\"")
            }
            setAddress(address, on: &object)
        default:
            guard context.isDryRun || context.serviceAddresses.reserve(wanted) else {
                throw .invalid(
                    Service.definition, name,
                    [
                        .invalid(
                            FieldPath("spec", "clusterIPs"), .array([.string(wanted)]),
                            "failed to allocate IP \(wanted): it is outside the service network or already allocated")
                    ])
            }
            setAddress(wanted, on: &object)
        }
    }

    func createFailed(_ object: JSONValue, _ context: StrategyContext) {
        context.serviceAddresses.release(object.string("spec", "clusterIP"))
    }

    private func setAddress(_ address: String, on object: inout JSONValue) {
        object.set(.string(address), at: "spec", "clusterIP")
        object.set([.string(address)], at: "spec", "clusterIPs")
        if JSONValue.isEmpty(object[path: "spec", "ipFamilies"]) { object.set(["IPv4"], at: "spec", "ipFamilies") }
        if JSONValue.isEmpty(object[path: "spec", "ipFamilyPolicy"]) {
            object.set("SingleStack", at: "spec", "ipFamilyPolicy")
        }
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: StrategyContext) throws(APIStatusError)
    {
        // A client that sends the service without its address, as an older manifest does, means no change.
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
        where JSONValue.isEmpty(object[path: "spec", field]) {
            object.set(old[path: "spec", field], at: "spec", field)
        }
    }

    func afterRemoval(_ object: StoredObject, _ operations: ResourceOperations) async {
        operations.serviceAddresses.release(object.value.string("spec", "clusterIP"))
    }
}
