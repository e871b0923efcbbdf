public import KubernetesAPI
public import KubernetesClient
public import Logging
import Synchronization

/// Takes away what is stored in a volume that was made for a claim.
public protocol ProvisionedStorage: Sendable {
    /// Where the volume so named is, or will be made when it is first used.
    func path(of volumeName: String) -> String
    /// Fine to repeat. Throws while something of it is left.
    func remove(_ volumeName: String) async throws
}

/// Binds claims to volumes, makes volumes on this node for claims of its class, takes them back, and makes the claims that pods
/// bring along.
public final class PersistentVolumeController: Controller {
    public let name = "persistentvolume-binder"
    /// All is decided from all: there is one key.
    public enum Key: Hashable, Sendable { case all }

    /// The class made on a server that has none.
    public static let defaultClassName = "swiftlet-local"

    private let client: APIClient
    private let volumes: VolumeInformers
    private let pods: Informer<Pod>
    private let nodes: Informer<Node>
    private let storage: any ProvisionedStorage
    private let provisioner: String
    private let recorder: EventRecorder
    private let queue = WorkQueue<Key>()
    private let logger: Logger
    /// What each claim was told last, by UID.
    private let told = Mutex<[String: String]>([:])

    /// - Parameters:
    ///   - pods: of all namespaces; run by somebody else, as are `nodes`.
    ///   - provisioner: whose classes' volumes are made here.
    public init(
        client: APIClient, volumes: VolumeInformers, pods: Informer<Pod>, nodes: Informer<Node>,
        storage: any ProvisionedStorage, provisioner: String, logger: Logger
    ) {
        self.client = client
        self.volumes = volumes
        self.pods = pods
        self.nodes = nodes
        self.storage = storage
        self.provisioner = provisioner
        self.logger = logger
        recorder = EventRecorder(component: name, sink: client, logger: logger)
    }

    /// Works until cancelled.
    public func run() async {
        let (claims, known) = (volumes.claims.events(), volumes.volumes.events())
        let (classes, podEvents, nodeEvents) = (volumes.classes.events(), pods.events(), nodes.events())
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.recorder.run() }
            group.addTask { await self.volumes.run() }
            group.addTask { for await _ in claims { self.queue.add(.all) } }
            group.addTask { for await _ in known { self.queue.add(.all) } }
            group.addTask {
                for await event in classes {
                    if case .initialListDone = event { await self.makeDefaultClass() }
                    self.queue.add(.all)
                }
            }
            group.addTask { for await event in podEvents where Self.matters(event) { self.queue.add(.all) } }
            group.addTask { for await event in nodeEvents where Self.matters(event) { self.queue.add(.all) } }
            group.addTask { await ControllerLoop(self, queue: self.queue, logger: self.logger).run() }
        }
    }

    /// Only pods with claims, and only what makes a claim used or free.
    private static func matters(_ event: InformerEvent<Pod>) -> Bool {
        switch event {
        case .initialListDone: true
        case .applied(let old, let new):
            !VolumeUse.claims(of: new).isEmpty
                && (old == nil || old.map(SchedulingDecision.isFinished) != SchedulingDecision.isFinished(new))
        case .deleted(let pod): !VolumeUse.claims(of: pod).isEmpty
        case .undecodable: false
        }
    }

    private static func matters(_ event: InformerEvent<Node>) -> Bool {
        switch event {
        case .initialListDone: true
        case .applied(let old, let new): old?.metadata.labels != new.metadata.labels
        case .deleted, .undecodable: false
        }
    }

    public func reconcile(_ key: Key) async throws -> ReconcileResult {
        // The end of the missing list adds the key again.
        guard volumes.hasSynced, pods.hasSynced, nodes.hasSynced else { return .done }
        let storage = storage
        let actions = VolumeBindingDecision.decide(
            VolumeBindingDecision.World(
                claims: Array(volumes.claims.snapshot().values), volumes: Array(volumes.volumes.snapshot().values),
                classes: Array(volumes.classes.snapshot().values), pods: Array(pods.snapshot().values),
                nodes: Array(nodes.snapshot().values), now: .now()),
            provisioner: provisioner, path: { storage.path(of: $0) })
        var failure: (any Error)?
        for action in actions {
            // One that fails does not hold up the others.
            do { try await carryOut(action) } catch let error as APIError where error.isConflict || error.isNotFound {
                // Decided from what was no longer so: the informer brings what is.
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        return .done
    }

    private func carryOut(_ action: VolumeBindingDecision.Action) async throws {
        switch action {
        case .createClaim(let claim, let pod):
            do throws(APIError) { _ = try await client.create(claim) } catch {
                if error.isAlreadyExists { return }
                recorder.record(
                    ObjectReference(to: pod), type: .warning, reason: "FailedToCreate",
                    message: "persistentvolumeclaim \"\(claim.metadata.name ?? "")\": \(error.message)")
                throw error
            }
        case .deleteClaim(let claim):
            try await client.delete(
                PersistentVolumeClaim.self, namespace: claim.metadata.namespace, name: claim.metadata.name ?? "",
                options: DeleteOptions(preconditions: Preconditions(uid: claim.metadata.uid)))
        case .updateClaim(let claim): _ = try await client.update(claim)
        case .updateClaimStatus(let claim):
            _ = try await client.updateStatus(claim)
            if let uid = claim.metadata.uid { told.withLock { $0[uid] = nil } }
        case .provision(let volume, let claim): try await provision(volume, for: claim)
        case .updateVolume(let volume): _ = try await client.update(volume)
        case .updateVolumeStatus(let volume): _ = try await client.updateStatus(volume)
        case .reclaim(let volume): try await reclaim(volume)
        case .tell(let claim, let isWarning, let reason, let message):
            tell(claim, isWarning ? .warning : .normal, reason, message)
        }
    }

    private func provision(_ volume: PersistentVolume, for claim: PersistentVolumeClaim) async throws(APIError) {
        do throws(APIError) { _ = try await client.create(volume) } catch {
            // An earlier try whose answer was lost.
            if error.isAlreadyExists { return }
            tell(claim, .warning, "ProvisioningFailed", error.message)
            throw error
        }
        tell(
            claim, .normal, "ProvisioningSucceeded",
            "Successfully provisioned volume \(volume.metadata.name ?? "")")
        logger.info("volume made", metadata: ["volume": "\(volume.metadata.name ?? "")"])
    }

    /// First what is stored, then the object: an end in between is gone on with from the object.
    private func reclaim(_ volume: PersistentVolume) async throws {
        let name = volume.metadata.name ?? ""
        do { try await storage.remove(name) } catch {
            recorder.record(
                ObjectReference(to: volume), type: .warning, reason: "VolumeFailedDelete", message: "\(error)")
            throw error
        }
        try await client.delete(
            PersistentVolume.self, name: name,
            options: DeleteOptions(preconditions: Preconditions(uid: volume.metadata.uid)))
        logger.info("volume removed", metadata: ["volume": "\(name)"])
    }

    /// Once, until something else is to be said.
    private func tell(_ claim: PersistentVolumeClaim, _ type: EventType, _ reason: String, _ message: String) {
        let uid = claim.metadata.uid ?? ""
        let isNews = told.withLock { told in
            if told[uid] == message { return false }
            // A bound on what a flood of claims leaves behind; saying something twice does no harm.
            if told.count > 4_096 { told = [:] }
            told[uid] = message
            return true
        }
        if isNews { recorder.record(ObjectReference(to: claim), type: type, reason: reason, message: message) }
    }

    private func makeDefaultClass() async {
        guard volumes.classes.snapshot().isEmpty else { return }
        let storageClass = StorageClass(
            metadata: ObjectMeta(
                name: Self.defaultClassName, annotations: [StorageClass.defaultAnnotation: "true"]),
            provisioner: provisioner, reclaimPolicy: "Delete", volumeBindingMode: "WaitForFirstConsumer")
        do throws(APIError) { _ = try await client.create(storageClass) } catch {
            if error.isAlreadyExists { return }
            logger.warning("storage class not made", metadata: ["error": "\(error)"])
        }
    }
}
