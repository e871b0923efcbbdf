public import KubernetesAPI

extension PullProgress {
    public var json: JSONValue {
        .array(
            layers.map {
                [
                    "digest": .string($0.digest), "totalBytes": .integer($0.totalBytes),
                    "receivedBytes": .integer($0.receivedBytes), "stage": .string($0.stage.rawValue),
                ]
            })
    }

    /// `nil` for anything else than ``json``.
    public init?(_ value: JSONValue) {
        guard let items = value.arrayValue else { return nil }
        self.init()
        for item in items {
            guard let digest = item["digest"]?.stringValue, let total = item["totalBytes"]?.intValue,
                let received = item["receivedBytes"]?.intValue,
                let stage = item["stage"]?.stringValue.flatMap(Layer.Stage.init)
            else { return nil }
            layers.append(Layer(digest: digest, totalBytes: total, receivedBytes: received, stage: stage))
        }
    }
}
