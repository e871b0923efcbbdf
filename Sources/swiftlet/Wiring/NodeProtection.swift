import ContainerImages
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import NodeAgent

/// What keeps the node alive beside its pods, made and connected.
enum NodeProtection {
    /// Removes images nobody needs, for as long as the node runs.
    static func collectImages(
        _ settings: NodeSettings, _ agent: NodeAgent, _ host: LocalPodHost, _ images: ImageManager,
        _ reporter: NodeStatusReporter, _ recorder: EventRecorder, _ logger: Logger,
        in group: inout ThrowingTaskGroup<Void, any Error>
    ) -> ImageCollector {
        let collector = ImageCollector(
            settings.protection.images, directory: settings.root + "/images",
            parts: ImageCollector.Parts(
                images: images, needs: { await host.imageNeeds(of: agent) }, events: recorder,
                node: node(settings, reporter)), logger: logger)
        group.addTask { await collector.run() }
        return collector
    }

    private static func node(_ settings: NodeSettings, _ reporter: NodeStatusReporter)
        -> @Sendable () -> ObjectReference
    {
        {
            ObjectReference(
                kind: Node.definition.kind, name: settings.nodeName, uid: reporter.nodeUID ?? settings.nodeName,
                apiVersion: "v1")
        }
    }

    /// - Parameter client: of a control endpoint that has no controller for taints of its own; else nil.
    static func start(
        _ settings: NodeSettings, _ agent: NodeAgent, _ host: LocalPodHost, _ meter: EphemeralStorageMeter,
        _ images: ImageCollector, _ pressures: NodePressures,
        _ reporter: NodeStatusReporter, _ recorder: EventRecorder, _ client: APIClient?, _ logger: Logger,
        in group: inout ThrowingTaskGroup<Void, any Error>
    ) {
        let node = node(settings, reporter)
        let taints = client.map { PressureTaints(nodeName: settings.nodeName, client: $0, logger: logger) }
        if let taints { group.addTask { await taints.run() } }
        let manager = EvictionManager(
            settings.protection.eviction, agent: agent,
            parts: EvictionManager.Parts(
                host: host, pressures: pressures, meter: meter, images: images, events: recorder, node: node
            ) { pressures in
                reporter.refresh()
                taints?.set(pressures)
            }, logger: logger)
        group.addTask { await manager.run() }
        protectFromOutOfMemoryKiller(logger)
        do throws(KernelError) {
            let events = try OutOfMemoryEvents()
            group.addTask { await events.run(events: recorder, node: node, logger: logger) }
        } catch {
            logger.info("the kernel's log is closed: no event when the machine runs out of memory")
        }
    }

    /// Of all processes the kernel may kill for memory this is to be the last but one; containers have scores of their own.
    private static func protectFromOutOfMemoryKiller(_ logger: Logger) {
        let path = "/proc/self/oom_score_adj"
        let current = (try? FileSystem.readText(path, limit: 16)).flatMap { Int($0.prefix { $0 != "\n" }) } ?? 0
        guard current > -999 else { return }
        do throws(KernelError) { try FileSystem.writeKernelFile(path, "-999") } catch {
            logger.info(
                "not protected from the out-of-memory killer: needs CAP_SYS_RESOURCE",
                metadata: ["oom_score_adj": "\(current)"])
        }
    }
}
