import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import NodeAgent

@Suite("Mirrors of static pods", .timeLimit(.minutes(5)))
struct MirrorPodsTests {
    private func staticPod(_ hash: String) -> Pod {
        Pod(
            metadata: ObjectMeta(
                name: "web-n", namespace: "default", uid: hash,
                annotations: [PodAnnotations.source: "file", PodAnnotations.hash: hash]),
            spec: PodSpec(containers: [Container(name: "c", image: "i")], nodeName: "n"),
            status: PodStatus(phase: "Pending"))
    }

    private func mirror(_ hash: String, uid: String = "m", isDying: Bool = false) -> Pod {
        Pod(
            metadata: ObjectMeta(
                name: "web-n", namespace: "default", uid: uid,
                deletionTimestamp: isDying ? Timestamp(seconds: 1) : nil, annotations: [PodAnnotations.mirror: hash]))
    }

    private func decide(
        _ pod: Pod?, _ mirror: Pod?, isComplete: Bool = true, isRegistered: Bool = true
    ) -> MirrorPodDecision {
        MirrorPodDecision.decide(
            staticPod: pod, mirror: mirror, isComplete: isComplete, node: isRegistered ? ("n", "node-uid") : nil)
    }

    @Test("a mirror is what the API server accepts from a node")
    func mirrorObject() {
        guard case .create(let pod) = decide(staticPod("h1"), nil) else {
            return #expect(Bool(false), "nothing is created")
        }
        #expect(pod.metadata.uid == nil)
        #expect(pod.status == nil)
        #expect(pod.metadata.annotations?[PodAnnotations.mirror] == "h1")
        #expect(pod.spec.nodeName == "n")
        #expect(
            pod.metadata.ownerReferences == [
                OwnerReference(apiVersion: "v1", kind: "Node", name: "n", uid: "node-uid", controller: true)
            ])
    }

    @Test("decisions")
    func decisions() {
        #expect(decide(staticPod("h1"), mirror("h1")) == .none)
        #expect(decide(staticPod("h1"), nil, isRegistered: false) == .none)
        #expect(decide(staticPod("h2"), mirror("h1")) == .delete(mirror("h1")))
        #expect(decide(staticPod("h1"), mirror("h1", isDying: true)) == .delete(mirror("h1", isDying: true)))
        #expect(decide(nil, mirror("h1")) == .delete(mirror("h1")))
        #expect(decide(nil, mirror("h1"), isComplete: false) == .none)
        #expect(decide(nil, nil) == .none)
    }

    @Test("a mirror is an orphan only when every source of static pods has told everything")
    func severalSources() async {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let fake = FakePods([mirror("old")])
        let mirrors = MirrorPods(
            client: fake, statuses: PodStatusManager(client: fake, logger: logger), nodeName: "n",
            events: EventRecorder(component: "kubelet", sink: FakeEvents(), logger: logger),
            staticSources: [.file, .http], logger: logger)
        var calls = fake.calls.makeAsyncIterator()
        await withDiscardingTaskGroup { group in
            group.addTask { await mirrors.run() }
            mirrors.apply(mirror: mirror("old"))
            mirrors.mirrorsComplete()
            mirrors.staticPodsComplete(.file)
            // Were the old mirror taken for an orphan by now, its deletion would come before this creation.
            var other = staticPod("h1")
            other.metadata.name = "other-n"
            mirrors.apply(staticPod: other)
            mirrors.setNode(uid: "node-uid")
            #expect(await calls.next(isolation: nil) == .create("other-n"))
            mirrors.staticPodsComplete(.http)
            #expect(await calls.next(isolation: nil) == .delete("web-n"))
            group.cancelAll()
        }
    }

    @Test("a static pod gets its mirror once the node is registered, its status, and another mirror when it changes")
    func lifecycle() async {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let fake = FakePods()
        let statuses = PodStatusManager(client: fake, logger: logger)
        let mirrors = MirrorPods(
            client: fake, statuses: statuses, nodeName: "n",
            events: EventRecorder(component: "kubelet", sink: FakeEvents(), logger: logger), logger: logger)
        var calls = fake.calls.makeAsyncIterator()
        await withDiscardingTaskGroup { group in
            group.addTask { await statuses.run() }
            group.addTask { await mirrors.run() }
            await statuses.set(PodStatus(phase: "Running"), for: staticPod("h1"))
            mirrors.apply(staticPod: staticPod("h1"))
            mirrors.staticPodsComplete()
            mirrors.mirrorsComplete()
            mirrors.setNode(uid: "node-uid")
            #expect(await calls.next(isolation: nil) == .create("web-n"))
            #expect(await calls.next(isolation: nil) == .patch("web-n"))
            #expect(fake.stored("default/web-n")?.status?.phase == "Running")

            mirrors.apply(staticPod: staticPod("h2"))
            mirrors.remove(staticPod: staticPod("h1"))
            #expect(await calls.next(isolation: nil) == .delete("web-n"))
            #expect(await calls.next(isolation: nil) == .create("web-n"))
            #expect(fake.stored("default/web-n")?.mirroredHash == "h2")

            mirrors.remove(staticPod: staticPod("h2"))
            #expect(await calls.next(isolation: nil) == .delete("web-n"))
            #expect(fake.stored("default/web-n") == nil)
            group.cancelAll()
        }
    }

    @Test("a refused mirror is told of once for each definition and tried again in silence")
    func refusal() async {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let fake = FakePods()
        let sink = FakeEvents()
        let events = EventRecorder(component: "kubelet", sink: sink, logger: logger)
        let time = ManualClock()
        let mirrors = MirrorPods(
            client: fake, statuses: PodStatusManager(client: fake, logger: logger), nodeName: "n", events: events,
            queue: WorkQueue(clock: time), logger: logger)
        mirrors.setNode(uid: "node-uid")
        mirrors.staticPodsComplete()
        mirrors.mirrorsComplete()
        var calls = fake.calls.makeAsyncIterator()
        var sleeps = time.sleeps.makeAsyncIterator()
        let forbidden = FakePods.error(403, .forbidden)
        await withDiscardingTaskGroup { group in
            group.addTask { await mirrors.run() }
            fake.fail(forbidden, forbidden)
            mirrors.apply(staticPod: staticPod("h1"))
            #expect(await calls.next(isolation: nil) == .create("web-n"))
            _ = await sleeps.next(isolation: nil)
            time.advance(by: .seconds(300))
            #expect(await calls.next(isolation: nil) == .create("web-n"))

            fake.fail(forbidden)
            mirrors.apply(staticPod: staticPod("h2"))
            #expect(await calls.next(isolation: nil) == .create("web-n"))
            mirrors.apply(staticPod: staticPod("h2"))
            #expect(await calls.next(isolation: nil) == .create("web-n"))
            #expect(fake.stored("default/web-n")?.mirroredHash == "h2")
            group.cancelAll()
        }
        events.finish()
        await events.run()
        #expect(sink.written.map(\.reason) == ["FailedCreateMirrorPod", "FailedCreateMirrorPod"])
        #expect(sink.written.first?.involvedObject.name == "n")
        #expect(
            sink.written.first?.message == "Static pod default/web-n runs, but is not shown in the API: fake")
    }
}

/// Keeps what was written, each change of an event as one more.
private final class FakeEvents: EventSink, Sendable {
    private let state = Mutex<[Event]>([])

    var written: [Event] { state.withLock { $0 } }

    func createEvent(_ event: Event) async throws(APIError) { state.withLock { $0.append(event) } }

    func patchEvent(_ event: Event) async throws(APIError) { state.withLock { $0.append(event) } }
}
