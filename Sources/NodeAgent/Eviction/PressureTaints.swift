import KubernetesAPI
import KubernetesClient
public import Logging

/// Keeps new pods away from a node that is short of something, by the taints that Kubernetes' node controller sets for the node's
/// conditions. Only for a node whose control endpoint has no such controller.
public actor PressureTaints {
    private let nodeName: String
    private let client: any NodeWriting
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let changes: AsyncStream<Set<PodAdmission.Pressure>>
    private let change: AsyncStream<Set<PodAdmission.Pressure>>.Continuation

    public init(
        nodeName: String, client: any NodeWriting, clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.nodeName = nodeName
        self.client = client
        self.clock = clock
        self.logger = logger
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What the node is short of now.
    public nonisolated func set(_ pressures: Set<PodAdmission.Pressure>) { change.yield(pressures) }

    /// Works until cancelled.
    public func run() async {
        for await pressures in changes { await write(pressures) }
    }

    private func write(_ pressures: Set<PodAdmission.Pressure>) async {
        var backoff = Backoff(policy: RetryPolicy(initialDelay: .milliseconds(250), maximumDelay: .seconds(10)))
        // Bounded: the next change writes anew, and the conditions themselves keep pods away here.
        for _ in 0..<20 where !Task.isCancelled {
            do throws(APIError) {
                let node = try await client.node(named: nodeName)
                guard let patch = Self.patch(node, pressures) else { return }
                _ = try await client.patchNode(named: nodeName, subresource: nil, body: patch)
                return
            } catch {
                logger.debug("taints not written", metadata: ["error": "\(error)"])
                let delay = backoff.failed(retryAfterSeconds: error.retryAfterSeconds, random: 0.5)
                try? await clock.sleep(for: delay, tolerance: nil)
            }
        }
    }

    /// The list is replaced as a whole, so that it must be the one that was read; nil when it is right.
    static func patch(_ node: Node, _ pressures: Set<PodAdmission.Pressure>) -> JSONValue? {
        let existing = node.spec.taints ?? []
        let ours = Set(PodAdmission.Pressure.allCases.map(\.taint.key))
        let wanted =
            existing.filter { !ours.contains($0.key) }
            + PodAdmission.Pressure.allCases.filter(pressures.contains).map(\.taint)
        guard wanted.map(\.identity) != existing.map(\.identity) else { return nil }
        let taints = wanted.map { taint in
            var value: JSONValue = ["key": .string(taint.key), "effect": .string(taint.effect)]
            if let text = taint.value { value["value"] = .string(text) }
            if let added = taint.timeAdded { value["timeAdded"] = .string(added.rfc3339) }
            return value
        }
        var patch: JSONValue = ["spec": ["taints": .array(taints)]]
        if let version = node.metadata.resourceVersion { patch["metadata"] = ["resourceVersion": .string(version)] }
        return patch
    }
}

extension PodAdmission.Pressure {
    var taint: Taint {
        let key =
            switch self {
            case .memory: "node.kubernetes.io/memory-pressure"
            case .disk: "node.kubernetes.io/disk-pressure"
            case .pid: "node.kubernetes.io/pid-pressure"
            }
        return Taint(key: key, effect: TaintEffect.noSchedule.rawValue)
    }
}

extension Taint {
    fileprivate var identity: [String] { [key, value ?? "", effect] }
}
