/// Holds a pod back from scheduling.
public struct PodSchedulingGate: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String

    public init(name: String = "") {
        self.name = name
    }
}

/// The group of pods a pod is scheduled with.
public struct PodSchedulingGroup: Codable, Hashable, Sendable {
    public var podGroupName: String?

    public init(podGroupName: String? = nil) {
        self.podGroupName = podGroupName
    }
}
