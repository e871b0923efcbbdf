import KubernetesAPI
import KubernetesClient
import Logging
import Testing

@testable import NodeAgent

@Suite("Mirrors of static pods", .timeLimit(.minutes(1)))
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

    @Test("a static pod gets its mirror once the node is registered, its status, and another mirror when it changes")
    func lifecycle() async {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let fake = FakePods()
        let statuses = PodStatusManager(client: fake, logger: logger)
        let mirrors = MirrorPods(client: fake, statuses: statuses, nodeName: "n", logger: logger)
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
}
