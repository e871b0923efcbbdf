public import KubernetesAPI
public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// The controllers that make workloads live, over one set of informers.
public final class WorkloadControllers: ServiceLifecycle.Service {
    private let pods: Informer<Pod>
    private let sets: Informer<ReplicaSet>
    private let deployments: Informer<Deployment>
    private let jobs: Informer<Job>
    private let namespaces: Informer<Namespace>
    private let configMaps: Informer<ConfigMap>
    private let ownedPods = OwnedObjects<Pod>()
    private let ownedSets = OwnedObjects<ReplicaSet>()
    private let recorders: [EventRecorder]
    private let setController: ReplicaSetController
    private let deploymentController: DeploymentController
    private let jobController: JobController
    private let publisher: RootCAPublisher
    private let setQueue = WorkQueue<ObjectKey>()
    private let deploymentQueue = WorkQueue<ObjectKey>()
    private let jobQueue = WorkQueue<ObjectKey>()
    private let namespaceQueue = WorkQueue<ObjectKey>()
    /// Ended once the indexes hold everything that existed at the start.
    private let podsIndexed = AsyncStream.makeStream(of: Void.self)
    private let setsIndexed = AsyncStream.makeStream(of: Void.self)
    private let logger: Logger

    /// - Parameters:
    ///   - pods: of all namespaces and all nodes; run by somebody else.
    ///   - certificatePEM: what pods verify the API server by.
    public init(client: APIClient, pods: Informer<Pod>, certificatePEM: String, logger: Logger) {
        self.logger = logger
        self.pods = pods
        sets = Informer(client: client, logger: logger)
        deployments = Informer(client: client, logger: logger)
        jobs = Informer(client: client, logger: logger)
        namespaces = Informer(client: client, logger: logger)
        configMaps = Informer(
            client: client, fieldSelector: "metadata.name=\(RootCAPublisher.configMapName)", logger: logger)
        func recorder(_ component: String) -> EventRecorder {
            EventRecorder(component: component, sink: client, logger: logger)
        }
        let recorders = ["replicaset-controller", "deployment-controller", "job-controller"].map(recorder)
        self.recorders = recorders
        setController = ReplicaSetController(sets: sets, pods: ownedPods, client: client, recorder: recorders[0])
        deploymentController = DeploymentController(
            deployments: deployments, sets: ownedSets, pods: ownedPods, client: client, recorder: recorders[1])
        jobController = JobController(jobs: jobs, pods: ownedPods, client: client, recorder: recorders[2])
        publisher = RootCAPublisher(
            namespaces: namespaces, configMaps: configMaps, client: client, certificatePEM: certificatePEM)
    }

    /// Works until cancelled or asked to shut down; in the latter case events still waiting are written.
    public func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            for recorder in recorders { group.addTask { await recorder.run() } }
            await cancelWhenGracefulShutdown { await self.work() }
            for recorder in recorders { recorder.finish() }
        }
    }

    private func work() async {
        // Opened before anything runs, so that no event is missed.
        let (podEvents, setEvents) = (pods.events(), sets.events())
        let (deploymentEvents, jobEvents) = (deployments.events(), jobs.events())
        let (namespaceEvents, configMapEvents) = (namespaces.events(), configMaps.events())
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.sets.run() }
            group.addTask { await self.deployments.run() }
            group.addTask { await self.jobs.run() }
            group.addTask { await self.namespaces.run() }
            group.addTask { await self.configMaps.run() }
            group.addTask { await self.follow(podEvents) }
            group.addTask { await self.follow(setEvents) }
            group.addTask { await Self.enqueue(deploymentEvents, self.deploymentQueue) }
            group.addTask { await Self.enqueue(jobEvents, self.jobQueue) }
            group.addTask { await Self.enqueue(namespaceEvents, self.namespaceQueue) }
            group.addTask { await self.follow(configMapEvents) }
            group.addTask { await self.control() }
        }
    }

    /// The controllers begin when everything that exists is known: a pod not seen yet must not be made again.
    private func control() async {
        guard await deployments.waitUntilSynced(), await jobs.waitUntilSynced() else { return }
        for await _ in podsIndexed.stream {}
        for await _ in setsIndexed.stream {}
        if Task.isCancelled { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.loop(self.setController, self.setQueue, workers: 4) }
            group.addTask { await self.loop(self.deploymentController, self.deploymentQueue, workers: 2) }
            group.addTask { await self.loop(self.jobController, self.jobQueue, workers: 4) }
            group.addTask { await self.loop(self.publisher, self.namespaceQueue, workers: 1) }
        }
    }

    private func loop<C: Controller>(_ controller: C, _ queue: WorkQueue<ObjectKey>, workers: Int) async
    where C.Key == ObjectKey {
        await ControllerLoop(controller, queue: queue, logger: logger).run(workers: workers)
    }

    private static func enqueue<T>(_ events: AsyncStream<InformerEvent<T>>, _ queue: WorkQueue<ObjectKey>) async {
        for await event in events {
            switch event {
            case .applied(_, let object), .deleted(let object): queue.add(ObjectKey(object.metadata))
            case .initialListDone, .undecodable: continue
            }
        }
    }

    private func follow(_ events: AsyncStream<InformerEvent<Pod>>) async {
        for await event in events {
            if event == .initialListDone { podsIndexed.continuation.finish() }
            let (owners, orphan) = ownedPods.take(event)
            for owner in owners {
                let key = ObjectKey(namespace: owner.namespace, name: owner.name)
                switch owner.kind {
                case "ReplicaSet":
                    setQueue.add(key)
                    // A deployment that recreates waits for the last of its old pods.
                    if let parent = sets.object(key).flatMap(OwnedObjects.owner) { enqueue(parent) }
                case "Job": jobQueue.add(key)
                default: continue
                }
            }
            guard let orphan, orphan.isActive, let labels = orphan.metadata.labels, !labels.isEmpty else { continue }
            for (key, set) in sets.snapshot() where key.namespace == orphan.metadata.namespace {
                if (try? set.spec.selector?.selector())?.matches(labels) == true { setQueue.add(key) }
            }
        }
    }

    private func follow(_ events: AsyncStream<InformerEvent<ReplicaSet>>) async {
        for await event in events {
            if event == .initialListDone { setsIndexed.continuation.finish() }
            for owner in ownedSets.take(event).owners { enqueue(owner) }
            switch event {
            case .applied(_, let set), .deleted(let set): setQueue.add(ObjectKey(set.metadata))
            case .initialListDone, .undecodable: continue
            }
        }
    }

    private func enqueue(_ owner: OwnedObjects<ReplicaSet>.Owner) {
        if owner.kind == "Deployment" {
            deploymentQueue.add(ObjectKey(namespace: owner.namespace, name: owner.name))
        }
    }

    private func follow(_ events: AsyncStream<InformerEvent<ConfigMap>>) async {
        for await event in events {
            switch event {
            case .applied(_, let object), .deleted(let object):
                namespaceQueue.add(ObjectKey(name: object.metadata.namespace ?? ""))
            case .initialListDone:
                for key in namespaces.snapshot().keys { namespaceQueue.add(key) }
            case .undecodable: continue
            }
        }
    }
}
