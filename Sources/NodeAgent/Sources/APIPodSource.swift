public import KubernetesAPI
public import KubernetesClient
public import Logging

/// The pods the control endpoint has given this node.
public final class APIPodSource: Sendable {
    /// Every pod, and the end of the first complete list. For one consumer.
    public let updates: AsyncStream<PodUpdate>

    private let informer: Informer<Pod>
    private let mirrors: MirrorPods?
    private let update: AsyncStream<PodUpdate>.Continuation

    /// - Parameters:
    ///   - mirrors: is told of the mirrors of static pods, which are no pods to run; nil ignores them.
    ///   - events: where it is told that pods are kept though the endpoint has them no more.
    public convenience init(
        client: APIClient, nodeName: String, mirrors: MirrorPods? = nil, events: EventRecorder? = nil, logger: Logger
    ) {
        self.init(
            informer: Informer(
                Pod.self, client: client, fieldSelector: "spec.nodeName=\(nodeName)", brake: DeletionBrake(),
                onHeld: { held, known in
                    events?.record(
                        .node(nodeName), type: .warning, reason: Self.deletionHeld,
                        message: Self.message(missing: held.count, known: known))
                },
                logger: logger),
            mirrors: mirrors)
    }

    static let deletionHeld = "DeletionHeld"

    static func message(missing: Int, known: Int) -> String {
        "the control endpoint's list lacks \(missing) of the \(known) pods of this node: they go on running for now, as the "
            + "endpoint may have lost its memory; delete pods by name, or wait at least five minutes, to end them"
    }

    /// - Parameter informer: of this node's pods in all namespaces; run by the source.
    public init(informer: Informer<Pod>, mirrors: MirrorPods? = nil) {
        self.informer = informer
        self.mirrors = mirrors
        (updates, update) = AsyncStream.makeStream()
    }

    /// Follows the endpoint until cancelled.
    public func run() async {
        let events = informer.events()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.informer.run() }
            group.addTask { for await event in events { self.handle(event) } }
        }
        update.finish()
    }

    private func handle(_ event: InformerEvent<Pod>) {
        switch event {
        case .initialListDone:
            update.yield(.snapshotComplete(source: .api))
            mirrors?.mirrorsComplete()
        case .applied(_, let pod):
            if pod.mirroredHash != nil {
                mirrors?.apply(mirror: pod)
            } else {
                update.yield(.applied(Self.marked(pod), source: .api))
            }
        case .deleted(let pod):
            if pod.mirroredHash != nil {
                mirrors?.remove(mirror: pod)
            } else {
                update.yield(.removed(Self.marked(pod), source: .api))
            }
        case .undecodable:
            // The informer has logged it; the last readable version stays in force.
            break
        }
    }

    /// Says where the pod comes from, whatever its annotations claim. Only the copy in memory has it.
    static func marked(_ pod: Pod) -> Pod {
        var pod = pod
        pod.metadata.annotations = (pod.metadata.annotations ?? [:])
            .merging([PodAnnotations.source: PodSource.api.rawValue], uniquingKeysWith: { $1 })
        return pod
    }
}
