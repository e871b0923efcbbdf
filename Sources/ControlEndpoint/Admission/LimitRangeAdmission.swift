internal import KubernetesAPI

/// Fills in and checks what pods and claims ask for by the limit ranges of their namespace.
struct LimitRangeAdmission {
    private let items: [LimitRangeItem]

    init(_ ranges: [LimitRange]) {
        items = ranges.flatMap { $0.spec.limits ?? [] }
    }

    private func items(_ type: String) -> [LimitRangeItem] { items.filter { $0.type == type } }

    // MARK: Defaults

    /// Tells what the limit ranges gave a pod.
    static let annotation = "kubernetes.io/limit-ranger"

    /// Gives containers without a limit or a request the namespace's own, and notes that at the pod. Before the defaults
    /// of the kind itself.
    func applyDefaults(to pod: inout JSONValue) {
        var notes: [String] = []
        for item in items("Container") {
            for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
                guard case .array(var containers)? = pod[path: "spec", list] else { continue }
                for index in containers.indices where containers[index].objectValue != nil {
                    let given = Self.applyDefaults(of: item, to: &containers[index])
                    let name = containers[index].string("name")
                    for (names, kind) in [(given.requests, "request"), (given.limits, "limit")] where !names.isEmpty {
                        notes.append("\(names.sorted().joined(separator: ", ")) \(kind) for \(what) \(name)")
                    }
                }
                pod.set(.array(containers), at: "spec", list)
            }
        }
        guard !notes.isEmpty else { return }
        pod.set(
            .string("LimitRanger plugin set: \(notes.joined(separator: "; "))"), at: "metadata", "annotations",
            Self.annotation)
    }

    private static func applyDefaults(
        of item: LimitRangeItem, to container: inout JSONValue
    ) -> (requests: [String], limits: [String]) {
        var (requests, limits): ([String], [String]) = ([], [])
        for (name, quantity) in item.defaultRequest ?? [:]
        where container[path: "resources", "requests", name] == nil {
            // A limit of its own is the request, too.
            if container[path: "resources", "limits", name] != nil { continue }
            container.set(.string(quantity.description), at: "resources", "requests", name)
            requests.append(name)
        }
        for (name, quantity) in item.default ?? [:] where container[path: "resources", "limits", name] == nil {
            container.set(.string(quantity.description), at: "resources", "limits", name)
            limits.append(name)
        }
        return (requests, limits)
    }

    // MARK: Bounds

    /// What is out of bounds, one sentence each.
    func problems(of pod: PodSpec) -> [String] {
        var problems: [String] = []
        let containers = pod.containers + (pod.initContainers ?? [])
        for item in items("Container") {
            for container in containers {
                problems += Self.problems(
                    item, requests: container.resources?.requests ?? [:], limits: container.resources?.limits ?? [:])
            }
        }
        for item in items("Pod") {
            problems += Self.problems(item, requests: pod.totalRequests, limits: pod.totalLimits)
        }
        var seen: Set<String> = []
        return problems.filter { seen.insert($0).inserted }
    }

    func problems(of claim: PersistentVolumeClaim) -> [String] {
        let requests = claim.spec.resources?.requests ?? [:]
        return items("PersistentVolumeClaim").flatMap { item in
            Self.each(item.min) { Self.below($0, $1, item.type, requests: requests, limits: [:]) }
                + Self.each(item.max) { Self.above($0, $1, item.type, requests: requests) }
        }
    }

    private static func problems(
        _ item: LimitRangeItem, requests: [String: Quantity], limits: [String: Quantity]
    ) -> [String] {
        each(item.min) { below($0, $1, item.type, requests: requests, limits: limits) }
            + each(item.max) { above($0, $1, item.type, requests: requests, limits: limits) }
            + each(item.maxLimitRequestRatio) { beyond($0, $1, item.type, requests: requests, limits: limits) }
    }

    private static func each(_ bounds: [String: Quantity]?, _ check: (String, Quantity) -> String?) -> [String] {
        (bounds ?? [:]).sorted { $0.key < $1.key }.compactMap { check($0.key, $0.value) }
    }

    private static func below(
        _ name: String, _ bound: Quantity, _ type: String, requests: [String: Quantity], limits: [String: Quantity]
    ) -> String? {
        let start = "minimum \(name) usage per \(type) is \(bound)"
        guard let request = requests[name] else { return "\(start).  No request is specified" }
        if request < bound { return "\(start), but request is \(request)" }
        if let limit = limits[name], limit < bound { return "\(start), but limit is \(limit)" }
        return nil
    }

    private static func above(
        _ name: String, _ bound: Quantity, _ type: String, requests: [String: Quantity], limits: [String: Quantity]
    ) -> String? {
        let start = "maximum \(name) usage per \(type) is \(bound)"
        guard let limit = limits[name] else { return "\(start).  No limit is specified" }
        if limit > bound { return "\(start), but limit is \(limit)" }
        if let request = requests[name], request > bound { return "\(start), but request is \(request)" }
        return nil
    }

    /// Of things that have no limits.
    private static func above(
        _ name: String, _ bound: Quantity, _ type: String, requests: [String: Quantity]
    ) -> String? {
        let start = "maximum \(name) usage per \(type) is \(bound)"
        guard let request = requests[name] else { return "\(start).  No request is specified" }
        return request > bound ? "\(start), but request is \(request)" : nil
    }

    private static func beyond(
        _ name: String, _ bound: Quantity, _ type: String, requests: [String: Quantity], limits: [String: Quantity]
    ) -> String? {
        let start = "\(name) max limit to request ratio per \(type) is \(bound)"
        guard let request = requests[name], !request.isZero else {
            return "\(start), but no request is specified or request is 0"
        }
        guard let limit = limits[name], !limit.isZero else {
            return "\(start), but no limit is specified or limit is 0"
        }
        let ratio = limit.doubleValue / request.doubleValue
        return ratio > bound.doubleValue ? "\(start), but provided ratio is \(sixDecimals(ratio))" : nil
    }

    /// As Kubernetes prints a ratio.
    private static func sixDecimals(_ ratio: Double) -> String {
        let millionths = Int64(exactly: (ratio * 1e6).rounded()) ?? .max
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(rest)
        return "\(whole).\(String(repeating: "0", count: 6 - digits.count))\(digits)"
    }
}
