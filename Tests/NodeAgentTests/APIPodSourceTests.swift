import KubernetesAPI
import KubernetesClient
import Logging
import Testing

@testable import NodeAgent

@Suite("Pods of the control endpoint", .timeLimit(.minutes(5)))
struct APIPodSourceTests {
    /// A list and one watch that stays open.
    private struct FakeSource: ResourceSource {
        var items: [Pod]
        var events: AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error>

        func list(resourceVersion: String) async throws(APIError) -> ResourceList<Pod> {
            ResourceList(items: items, resourceVersion: "10")
        }

        func watch(
            resourceVersion: String, timeoutSeconds: Int
        ) -> AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error> { events }
    }

    private func pod(_ name: String, uid: String, version: String, mirror: String? = nil) -> Pod {
        var annotations = [PodAnnotations.source: "file"]
        if let mirror { annotations[PodAnnotations.mirror] = mirror }
        return Pod(
            metadata: ObjectMeta(
                name: name, namespace: "default", uid: uid, resourceVersion: version, annotations: annotations))
    }

    private func line(_ update: PodUpdate?) -> String {
        switch update {
        case .snapshotComplete(let source): "complete \(source)"
        case .applied(let pod, let source): "+\(pod.metadata.uid ?? "") \(source) static=\(pod.isStatic)"
        case .removed(let pod, let source): "-\(pod.metadata.uid ?? "") \(source) static=\(pod.isStatic)"
        case nil: "end"
        }
    }

    @Test("pods are told, mirrors are not, and no annotation makes an API pod a static one")
    func tells() async {
        let (events, event) = AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error>.makeStream()
        let fake = FakeSource(
            items: [pod("a", uid: "1", version: "5"), pod("s-n", uid: "2", version: "6", mirror: "hash")],
            events: events)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let source = APIPodSource(informer: Informer(source: fake, logger: logger))
        await withDiscardingTaskGroup { group in
            group.addTask { await source.run() }
            var updates = source.updates.makeAsyncIterator()
            #expect(line(await updates.next(isolation: nil)) == "+1 api static=false")
            #expect(line(await updates.next(isolation: nil)) == "complete api")
            event.yield(.deleted(pod("s-n", uid: "2", version: "11", mirror: "hash")))
            event.yield(.deleted(pod("a", uid: "1", version: "12")))
            event.yield(.added(pod("a", uid: "3", version: "13")))
            #expect(line(await updates.next(isolation: nil)) == "-1 api static=false")
            #expect(line(await updates.next(isolation: nil)) == "+3 api static=false")
            group.cancelAll()
        }
    }
}
