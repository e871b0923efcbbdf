import KubernetesAPI
public import KubernetesClient
public import Logging
public import Volumes

/// The ConfigMaps and Secrets that files of running pods follow: each is watched by its name, once for all its pods, so that a
/// change is in the files as soon as the server tells of it.
public final class FollowedObjects: Sendable {
    /// UIDs of pods whose files may be older than their objects. For one consumer.
    public let changes: AsyncStream<String>

    private let configMaps: ObjectWatches<ConfigMap>
    private let secrets: ObjectWatches<Secret>

    public convenience init(client: APIClient, logger: Logger) {
        self.init(
            configMaps: { Self.source(client, $0) }, secrets: { Self.source(client, $0) }, logger: logger)
    }

    init(
        configMaps: @escaping @Sendable (ObjectKey) -> any ResourceSource<ConfigMap>,
        secrets: @escaping @Sendable (ObjectKey) -> any ResourceSource<Secret>, logger: Logger
    ) {
        let (changes, change) = AsyncStream<String>.makeStream()
        self.changes = changes
        self.configMaps = ObjectWatches(logger: logger, source: configMaps) { change.yield($0) }
        self.secrets = ObjectWatches(logger: logger, source: secrets) { change.yield($0) }
    }

    private static func source<T: KubernetesResource>(_ client: APIClient, _ key: ObjectKey) -> APIResourceSource<T> {
        APIResourceSource(client: client, namespace: key.namespace, fieldSelector: "metadata.name=\(key.name)")
    }

    /// Watches until cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.configMaps.run() }
            group.addTask { await self.secrets.run() }
        }
    }

    /// From now on the pod follows exactly these objects of its namespace; no names end it.
    public func follow(_ names: PodObjectNames, namespace: String, podUID: String) {
        func keys(_ names: Set<String>) -> Set<ObjectKey> {
            Set(names.filter { !$0.isEmpty }.map { ObjectKey(namespace: namespace, name: $0) })
        }
        configMaps.follow(keys(names.configMaps), for: podUID)
        secrets.follow(keys(names.secrets), for: podUID)
    }

    /// How many objects are followed.
    public var count: Int { configMaps.count + secrets.count }

    // MARK: For NodeObjects

    func knowledge(of key: ObjectKey) -> ObjectWatch<ConfigMap>.Knowledge { configMaps.knowledge(of: key) }

    func knowledge(of key: ObjectKey) -> ObjectWatch<Secret>.Knowledge { secrets.knowledge(of: key) }

    func note(_ object: ConfigMap?, at key: ObjectKey) { configMaps.note(object, at: key) }

    func note(_ object: Secret?, at key: ObjectKey) { secrets.note(object, at: key) }
}
