internal import KubernetesAPI

/// Deployments, replica sets and other kinds whose status is their controller's.
struct WorkloadStrategy: ResourceStrategy {
    var tracksGeneration = true
    var hasStatus: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = [:]
    }
}

/// A kind without a status whose changes are counted.
struct GenerationStrategy: ResourceStrategy {
    var tracksGeneration: Bool { true }
}

/// Jobs: the selector and the labels it selects by are made here, from the job's own uid.
struct JobStrategy: ResourceStrategy {
    private static let uidLabels = ["batch.kubernetes.io/controller-uid", "controller-uid"]
    private static let nameLabels = ["batch.kubernetes.io/job-name", "job-name"]

    var hasStatus: Bool { true }
    var tracksGeneration: Bool { true }

    func prepareForCreate(_ object: inout JSONValue, _ context: StrategyContext) throws(APIStatusError) {
        object["status"] = [:]
        guard object["spec"]?.objectValue != nil, object[path: "spec", "manualSelector"] != true else { return }
        guard JSONValue.isEmpty(object[path: "spec", "selector"]) else {
            throw .invalid(
                Job.definition, object.string("metadata", "name"),
                [
                    .invalid(
                        FieldPath("spec", "selector"), object[path: "spec", "selector"] ?? .null,
                        "is made by the server, unless spec.manualSelector is true")
                ])
        }
        let uid = object.string("metadata", "uid")
        object.set(["matchLabels": [Self.uidLabels[0]: .string(uid)]], at: "spec", "selector")
        for label in Self.uidLabels { object.set(.string(uid), at: "spec", "template", "metadata", "labels", label) }
        for label in Self.nameLabels {
            object.set(
                .string(object.string("metadata", "name")), at: "spec", "template", "metadata", "labels", label)
        }
    }
}
