/// How a pod's resources are promised, which decides who is evicted and killed first.
public enum PodQOSClass: String, CaseIterable, Sendable {
    /// Every container has limits for CPU and memory, equal to its requests.
    case guaranteed = "Guaranteed"
    /// Neither guaranteed nor without any promise.
    case burstable = "Burstable"
    /// No container asks for CPU or memory.
    case bestEffort = "BestEffort"
}

extension Pod {
    /// The class in the status, which never changes once it is set; computed from the spec before that.
    public var qosClass: PodQOSClass {
        status?.qosClass.flatMap(PodQOSClass.init(rawValue:)) ?? spec.qosClass
    }
}

extension PodSpec {
    /// The class that follows from the containers' resources, or from the pod's own when it has any.
    public var qosClass: PodQOSClass {
        let parts = resources.map { [$0] } ?? (containers + (initContainers ?? [])).map { $0.resources ?? .init() }
        var requests: [String: Quantity] = [:]
        var limits: [String: Quantity] = [:]
        var everyPartIsLimited = true
        for part in parts {
            let partLimits = Self.promised(part.limits)
            requests.merge(Self.promised(part.requests), uniquingKeysWith: +)
            limits.merge(partLimits, uniquingKeysWith: +)
            if partLimits.count < Self.promisedNames.count { everyPartIsLimited = false }
        }
        if requests.isEmpty && limits.isEmpty { return .bestEffort }
        return everyPartIsLimited && requests == limits ? .guaranteed : .burstable
    }

    /// Only these two decide about the class.
    private static let promisedNames = ["cpu", "memory"]

    private static func promised(_ quantities: [String: Quantity]?) -> [String: Quantity] {
        (quantities ?? [:]).filter { promisedNames.contains($0.key) && $0.value > .zero }
    }
}
