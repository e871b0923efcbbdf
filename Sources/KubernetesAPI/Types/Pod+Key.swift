extension Pod {
    /// `namespace/name`: how logs, queues and messages name a pod.
    public var key: String { "\(metadata.namespace ?? "")/\(metadata.name ?? "")" }

    /// `name_namespace`: how log directories and static pods name a pod.
    public var fullName: String { "\(metadata.name ?? "")_\(metadata.namespace ?? "")" }
}
