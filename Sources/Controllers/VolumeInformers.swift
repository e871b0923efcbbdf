public import KubernetesAPI
public import KubernetesClient
public import Logging

/// Claims, volumes and classes of a server: what scheduler and binder both look at.
public struct VolumeInformers: Sendable {
    public let claims: Informer<PersistentVolumeClaim>
    public let volumes: Informer<PersistentVolume>
    public let classes: Informer<StorageClass>

    public init(client: APIClient, logger: Logger) {
        claims = Informer(PersistentVolumeClaim.self, client: client, logger: logger)
        volumes = Informer(PersistentVolume.self, client: client, logger: logger)
        classes = Informer(StorageClass.self, client: client, logger: logger)
    }

    init(
        claims: Informer<PersistentVolumeClaim>, volumes: Informer<PersistentVolume>, classes: Informer<StorageClass>
    ) {
        self.claims = claims
        self.volumes = volumes
        self.classes = classes
    }

    var hasSynced: Bool { claims.hasSynced && volumes.hasSynced && classes.hasSynced }

    /// Follows the server until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.claims.run() }
            group.addTask { await self.volumes.run() }
            group.addTask { await self.classes.run() }
        }
    }
}
