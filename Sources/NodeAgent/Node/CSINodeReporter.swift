import KubernetesAPI
public import KubernetesClient
public import Logging
public import Volumes

/// Keeps what the API knows of this node's storage drivers true: schedulers and provisioners go by it.
public actor CSINodeReporter {
    private let nodeName: String
    private let client: APIClient
    private let nodeUID: @Sendable () -> String?
    private let drivers: StorageDrivers
    private let logger: Logger
    private let news = WakeSignal()
    /// What is not written yet.
    private var wanted: DriverInventory?
    private var toldCollisions: Set<String> = []
    private var lastFailure: APIError.Code?

    /// The Node is made first, and a server may be away: doubles from the first to the second.
    private static let retryIntervals = (first: Duration.seconds(1), longest: Duration.seconds(60))

    /// - Parameter nodeUID: of the Node in the API; nil until it is there.
    public init(
        nodeName: String, client: APIClient, nodeUID: @escaping @Sendable () -> String?, drivers: StorageDrivers,
        logger: Logger
    ) {
        self.nodeName = nodeName
        self.client = client
        self.nodeUID = nodeUID
        self.drivers = drivers
        self.logger = logger
    }

    /// Reports until cancelled. To be called once.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { for await inventory in self.drivers.changes { await self.hear(inventory) } }
            group.addTask { await self.report() }
        }
    }

    private func hear(_ inventory: DriverInventory) {
        wanted = inventory
        news.signal()
    }

    /// Each try is of what was heard last.
    private func report() async {
        var pause = Self.retryIntervals.first
        while !Task.isCancelled {
            let generation = news.generation
            guard let inventory = wanted else {
                await news.wait(after: generation)
                continue
            }
            if await write(inventory) {
                if wanted == inventory { wanted = nil }
                pause = Self.retryIntervals.first
            } else {
                try? await ContinuousClock().sleep(for: pause)
                pause = min(pause * 2, Self.retryIntervals.longest)
            }
        }
    }

    /// False when it is to be tried again.
    private func write(_ inventory: DriverInventory) async -> Bool {
        guard let uid = nodeUID() else { return false }
        let owner = OwnerReference(apiVersion: "v1", kind: Node.definition.kind, name: nodeName, uid: uid)
        do throws(APIError) {
            let node = try await client.get(Node.self, name: nodeName)
            let (patch, collisions) = CSINodeDecision.patch(of: node, inventory: inventory)
            for collision in collisions where toldCollisions.insert(collision).inserted {
                logger.warning("label of storage topology not set", metadata: ["reason": "\(collision)"])
            }
            if let patch {
                _ = try await client.patch(Node.self, name: nodeName, type: .strategicMerge, body: patch)
            }
            let existing = try await existing()
            if let object = CSINodeDecision.object(existing: existing, node: owner, inventory: inventory) {
                if existing == nil { _ = try await client.create(object) } else { _ = try await client.update(object) }
            }
            lastFailure = nil
            return true
        } catch {
            if !error.isCancelled, !error.isConflict, lastFailure != error.code {
                lastFailure = error.code
                logger.warning("storage drivers not reported, trying again", metadata: ["error": "\(error)"])
            }
            return false
        }
    }

    private func existing() async throws(APIError) -> CSINode? {
        do throws(APIError) { return try await client.get(CSINode.self, name: nodeName) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }
}
