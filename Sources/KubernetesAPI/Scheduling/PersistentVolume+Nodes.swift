extension PersistentVolume {
    /// Whether a node has the volume. One whose nodes cannot be read is on none.
    public func isAvailable(on node: Node) -> Bool {
        guard let required = spec.nodeAffinity?["required"], required != .null else { return true }
        guard let selector = try? JSONValueDecoder().decode(NodeSelector.self, from: required) else { return false }
        return NodeSelection.matches(selector, node: node)
    }

    /// As the API has it: `Pending`, `Available`, `Bound`, `Released` or `Failed`.
    public var phase: String { status?["phase"]?.stringValue ?? "Pending" }
}

extension PersistentVolumeClaim {
    /// As the API has it: `Pending`, `Bound` or `Lost`.
    public var phase: String { status?["phase"]?.stringValue ?? "Pending" }

    /// How large its volume is for its pods; nil while it has none.
    public var capacity: Quantity? {
        (status?["capacity"]?["storage"]?.stringValue).flatMap { try? Quantity(parsing: $0) }
    }

    /// The node's part of making the volume larger is to be done.
    public static let resizePending = "FileSystemResizePending"
}
