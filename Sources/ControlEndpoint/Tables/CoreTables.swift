internal import KubernetesAPI

/// The small tables of the core group.
extension TableLayout {
    static let namespaces = TableLayout(
        columns: [nameColumn, Column(name: "Status", description: "The namespace's phase."), ageColumn]
    ) { object, now in
        [name(object), .string(object.string("status", "phase")), age(object, now)]
    }

    static let configMaps = TableLayout(
        columns: [nameColumn, Column(name: "Data", type: "string", description: "Number of entries."), ageColumn]
    ) { object, now in
        let entries = (object["data"]?.objectValue?.count ?? 0) + (object["binaryData"]?.objectValue?.count ?? 0)
        return [name(object), .integer(Int64(entries)), age(object, now)]
    }

    static let secrets = TableLayout(
        columns: [
            nameColumn, Column(name: "Type", description: "What the secret is for."),
            Column(name: "Data", type: "string", description: "Number of entries."), ageColumn,
        ]
    ) { object, now in
        [
            name(object), .string(object.string("type")), .integer(Int64(object["data"]?.objectValue?.count ?? 0)),
            age(object, now),
        ]
    }

    static let serviceAccounts = TableLayout.nameAndAge

    static let leases = TableLayout(
        columns: [nameColumn, Column(name: "Holder", description: "Who holds the lease."), ageColumn]
    ) { object, now in
        [name(object), .string(object.string("spec", "holderIdentity")), age(object, now)]
    }

    static let services = TableLayout(
        columns: [
            nameColumn,
            Column(name: "Type", description: "How the service is exposed."),
            Column(name: "Cluster-IP", description: "The service's virtual address."),
            Column(name: "External-IP", description: "Addresses outside the cluster."),
            Column(name: "Port(s)", description: "Port, node port and protocol."),
            ageColumn,
            Column(name: "Selector", description: "The labels of the service's pods.", priority: 1),
        ]
    ) { service, now in
        let type = service.string("spec", "type")
        let address = service.string("spec", "clusterIP")
        let ports = service.list("spec", "ports").map(portText).joined(separator: ",")
        let selector = service.stringMap(at: "spec", "selector").sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        return [
            name(service), .string(type), .string(address.isEmpty ? "<none>" : address),
            .string(externalAddress(of: service, type: type)), .string(ports.isEmpty ? "<none>" : ports),
            age(service, now), .string(selector.isEmpty ? "<none>" : selector),
        ]
    }

    private static func portText(_ port: JSONValue) -> String {
        let number = port["port"]?.intValue ?? 0
        let transport = port.string("protocol").isEmpty ? "TCP" : port.string("protocol")
        guard let nodePort = port["nodePort"]?.intValue, nodePort > 0 else { return "\(number)/\(transport)" }
        return "\(number):\(nodePort)/\(transport)"
    }

    private static func externalAddress(of service: JSONValue, type: String) -> String {
        if type == "ExternalName" { return service.string("spec", "externalName") }
        var addresses = service.list("spec", "externalIPs").compactMap(\.stringValue)
        for ingress in service.list("status", "loadBalancer", "ingress") {
            let address = ingress.string("ip").isEmpty ? ingress.string("hostname") : ingress.string("ip")
            if !address.isEmpty { addresses.append(address) }
        }
        if addresses.isEmpty { return type == "LoadBalancer" ? "<pending>" : "<none>" }
        return addresses.joined(separator: ",")
    }

    static let events = TableLayout(
        columns: [
            Column(name: "Last Seen"), Column(name: "Type"), Column(name: "Reason"), Column(name: "Object"),
            Column(name: "Subobject", priority: 1), Column(name: "Source", priority: 1), Column(name: "Message"),
            Column(name: "First Seen", priority: 1), Column(name: "Count", priority: 1),
            Column(name: "Name", format: "name", priority: 1),
        ]
    ) { event, now in
        let eventTime = event.string("eventTime")
        var first = HumanDuration.since(event.string("firstTimestamp"), now: now)
        if first == "<unknown>" { first = HumanDuration.since(eventTime, now: now) }
        var last = HumanDuration.since(event.string("lastTimestamp"), now: now)
        if last == "<unknown>" { last = first }
        var count = event["count"]?.intValue ?? 0
        if let series = event["series"], series.objectValue != nil {
            last = HumanDuration.since(series.string("lastObservedTime"), now: now)
            count = series["count"]?.intValue ?? count
        } else if count == 0 {
            count = 1
        }
        let object = "\(event.string("involvedObject", "kind").lowercased())/\(event.string("involvedObject", "name"))"
        return [
            .string(last), .string(event.string("type")), .string(event.string("reason")), .string(object),
            .string(event.string("involvedObject", "fieldPath")), .string(sourceText(event)),
            .string(trimmed(event.string("message"))), .string(first), .integer(count), name(event),
        ]
    }

    /// The same for events.k8s.io, whose objects are shown in the older form.
    static let newEvents = TableLayout(columns: events.columns) { event, now in
        events.cells(ResourceView.newEvent.kept(event, over: nil), now)
    }

    private static func sourceText(_ event: JSONValue) -> String {
        var component = event.string("source", "component")
        if component.isEmpty { component = event.string("reportingComponent") }
        var host = event.string("source", "host")
        if host.isEmpty { host = event.string("reportingInstance") }
        return host.isEmpty || component.isEmpty ? component : "\(component), \(host)"
    }

    private static func trimmed(_ text: String) -> String {
        var slice = text[...]
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        return String(slice)
    }
}
