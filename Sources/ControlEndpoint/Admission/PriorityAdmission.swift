internal import KubernetesAPI

/// Turns the name of a priority class into the number that scheduling and eviction go by.
enum PriorityAdmission {
    static func admit(_ pod: inout JSONValue, classes: [JSONValue]) throws(APIStatusError) {
        let name = pod.string("spec", "priorityClassName")
        let given = pod[path: "spec", "priority"]?.intValue
        let found: JSONValue?
        if name.isEmpty {
            // There is one at most; after a downgrade or a restored backup the lowest of several.
            found = classes.filter { $0["globalDefault"]?.boolValue == true }.min {
                $0["value"]?.intValue ?? 0 < $1["value"]?.intValue ?? 0
            }
        } else if let known = classes.first(where: { $0.string("metadata", "name") == name }) {
            found = known
        } else if let value = PriorityClass.system[name] {
            found = ["metadata": ["name": .string(name)], "value": .integer(Int64(value))]
        } else {
            throw .forbidden(
                ResourceID(group: "", plural: "pods"), pod.string("metadata", "name"),
                "no PriorityClass with name \(name) was found")
        }
        let value = found?["value"]?.intValue ?? 0
        if let given, given != value {
            throw .forbidden(
                ResourceID(group: "", plural: "pods"), pod.string("metadata", "name"),
                "the integer value of priority (\(given)) must not be provided in pod spec; priority admission "
                    + "controller computed \(value) from the given PriorityClass name")
        }
        pod.set(.integer(value), at: "spec", "priority")
        if let found { pod.set(.string(found.string("metadata", "name")), at: "spec", "priorityClassName") }
        let ownPolicy = found?.string("preemptionPolicy") ?? ""
        let policy = ownPolicy.isEmpty ? "PreemptLowerPriority" : ownPolicy
        let wanted = pod.string("spec", "preemptionPolicy")
        guard wanted.isEmpty || wanted == policy else {
            throw .forbidden(
                ResourceID(group: "", plural: "pods"), pod.string("metadata", "name"),
                "the string value of PreemptionPolicy (\(wanted)) must not be provided in pod spec; priority admission "
                    + "controller computed \(policy) from the given PriorityClass name")
        }
        pod.set(.string(policy), at: "spec", "preemptionPolicy")
    }
}
