internal import KubernetesAPI

/// The tables of what leads to services, of their addresses, and of what nodes and drivers say of themselves.
extension TableLayout {
    static let ingresses = TableLayout(
        columns: [
            nameColumn, Column(name: "Class", description: "Who carries it out."),
            Column(name: "Hosts", description: "The hosts it is about."),
            Column(name: "Address", description: "Where it answers."),
            Column(name: "Ports", description: "The ports it answers on."), ageColumn,
        ]
    ) { object, now in
        let named = object.string("spec", "ingressClassName")
        let annotated = object.stringMap(at: "metadata", "annotations")["kubernetes.io/ingress.class"] ?? ""
        let kind = named.isEmpty ? annotated : named
        let hosts = object.list("spec", "rules").map { $0.string("host") }.filter { !$0.isEmpty }
        let addresses = object.list("status", "loadBalancer", "ingress").map {
            $0.string("ip").isEmpty ? $0.string("hostname") : $0.string("ip")
        }
        return [
            name(object), .string(kind.isEmpty ? "<none>" : kind), .string(hosts.isEmpty ? "*" : some(hosts)),
            .string(addresses.joined(separator: ",")),
            .string(object.list("spec", "tls").isEmpty ? "80" : "80, 443"), age(object, now),
        ]
    }

    static let ingressClasses = TableLayout(
        columns: [
            nameColumn, Column(name: "Controller", description: "Who carries ingresses of it out."),
            Column(name: "Parameters", description: "Settings of the controller."), ageColumn,
        ]
    ) { object, now in
        let parameters = object[path: "spec", "parameters"]
        let group = parameters?.string("apiGroup") ?? ""
        let text = parameters.map { "\($0.string("kind"))\(group.isEmpty ? "" : ".\(group)")/\($0.string("name"))" }
        return [
            name(object), .string(object.string("spec", "controller")), .string(text ?? "<none>"), age(object, now),
        ]
    }

    static let networkPolicies = TableLayout(
        columns: [nameColumn, Column(name: "Pod-Selector", description: "The pods it is about."), ageColumn]
    ) { object, now in
        let selector = selectorText(object[path: "spec", "podSelector"])
        return [name(object), .string(selector.isEmpty ? "<none>" : selector), age(object, now)]
    }

    static let endpointSlices = TableLayout(
        columns: [
            nameColumn, Column(name: "AddressType", description: "The kind of its addresses."),
            Column(name: "Ports", description: "The ports of its addresses."),
            Column(name: "Endpoints", description: "Its addresses."), ageColumn,
        ]
    ) { object, now in
        let ports = object.list("ports").map { $0["port"]?.intValue.map(String.init) ?? "*" }
        let addresses = object.list("endpoints").flatMap { $0.list("addresses") }.compactMap(\.stringValue)
        return [
            name(object), .string(object.string("addressType")), .string(some(ports)), .string(some(addresses)),
            age(object, now),
        ]
    }

    static let endpoints = TableLayout(
        columns: [nameColumn, Column(name: "Endpoints", description: "Addresses and ports."), ageColumn]
    ) { object, now in
        let places = object.list("subsets").flatMap { subset -> [String] in
            let addresses = subset.list("addresses").map { $0.string("ip") }
            let ports = subset.list("ports").compactMap { $0["port"]?.intValue }
            if ports.isEmpty { return addresses }
            return ports.flatMap { port in
                addresses.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" }
            }
        }
        return [name(object), .string(some(places)), age(object, now)]
    }

    static let runtimeClasses = TableLayout(
        columns: [nameColumn, Column(name: "Handler", description: "The node's name for it."), ageColumn]
    ) { object, now in [name(object), .string(object.string("handler")), age(object, now)] }

    static let csiDrivers = TableLayout(
        columns: [
            nameColumn, Column(name: "AttachRequired", type: "boolean", description: "Whether volumes are attached."),
            Column(name: "PodInfoOnMount", type: "boolean", description: "Whether it is told of the pod."),
            Column(name: "StorageCapacity", type: "boolean", description: "Whether it tells how much room there is."),
            Column(name: "TokenRequests", description: "Tokens it wants."),
            Column(name: "RequiresRepublish", type: "boolean", description: "Whether it is called again and again."),
            Column(name: "Modes", description: "What its volumes can be."), ageColumn,
        ]
    ) { object, now in
        func flag(_ field: String) -> JSONValue { .bool(object[path: "spec", field] == true) }
        let audiences = object.list("spec", "tokenRequests").map { $0.string("audience") }
        let modes = object.list("spec", "volumeLifecycleModes").compactMap(\.stringValue)
        return [
            name(object), flag("attachRequired"), flag("podInfoOnMount"), flag("storageCapacity"),
            .string(audiences.isEmpty ? "<unset>" : audiences.joined(separator: ",")), flag("requiresRepublish"),
            .string(modes.isEmpty ? "<none>" : modes.joined(separator: ",")), age(object, now),
        ]
    }

    static let csiNodes = TableLayout(
        columns: [nameColumn, Column(name: "Drivers", type: "integer", description: "How many there are."), ageColumn]
    ) { object, now in
        [name(object), .integer(Int64(object.list("spec", "drivers").count)), age(object, now)]
    }

    static let volumeAttachments = TableLayout(
        columns: [
            nameColumn, Column(name: "Attacher", description: "The driver."),
            Column(name: "PV", description: "The volume."), Column(name: "Node", description: "Where it should be."),
            Column(name: "Attached", type: "boolean", description: "Whether it is there."), ageColumn,
        ]
    ) { object, now in
        [
            name(object), .string(object.string("spec", "attacher")),
            .string(object.string("spec", "source", "persistentVolumeName")),
            .string(object.string("spec", "nodeName")), .bool(object[path: "status", "attached"] == true),
            age(object, now),
        ]
    }

    /// The first three, and how many more there are.
    private static func some(_ texts: [String]) -> String {
        if texts.isEmpty { return "<none>" }
        let shown = texts.prefix(3).joined(separator: ",")
        return texts.count > 3 ? "\(shown) + \(texts.count - 3) more..." : shown
    }
}
