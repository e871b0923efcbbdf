import KubernetesAPI
import KubernetesClient
import Logging
import TestSupport
import Testing

@testable import NodeAgent

@Suite("The status manager", .timeLimit(.minutes(5)))
struct PodStatusManagerTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func pod(_ name: String, phase: String = "Pending") -> Pod {
        Pod(
            metadata: ObjectMeta(
                name: name, namespace: "default", uid: "uid-\(name)", annotations: [PodAnnotations.source: "api"]),
            status: PodStatus(phase: phase))
    }

    /// Runs the manager while `body` does.
    private func withManager(
        _ fake: FakePods, clock: any Clock<Duration> = ContinuousClock(),
        _ body: (PodStatusManager) async -> Void
    ) async {
        let manager = PodStatusManager(client: fake, logger: logger, clock: clock, random: { 0.5 })
        await withDiscardingTaskGroup { group in
            group.addTask { await manager.run() }
            await body(manager)
            group.cancelAll()
        }
    }

    @Test("a status is in the API without any tick")
    func writes() async {
        let fake = FakePods([pod("a")])
        var calls = fake.calls.makeAsyncIterator()
        await withManager(fake) { manager in
            await manager.observe(pod("a"))
            await manager.set(PodStatus(phase: "Running", podIP: "10.0.0.1"), for: pod("a"))
            #expect(await calls.next(isolation: nil) == .patch("a"))
            #expect(fake.stored("default/a")?.status?.podIP == "10.0.0.1")
            #expect(await manager.status(uid: "uid-a")?.phase == "Running")
        }
    }

    @Test("a hundred pods that change many times end with their newest status, one write at a time each")
    func manyPods() async {
        let names = (0..<100).map { "p\($0)" }
        let fake = FakePods(names.map { pod($0) })
        await withManager(fake) { manager in
            await withTaskGroup(of: Void.self) { group in
                for name in names {
                    group.addTask {
                        await manager.observe(pod(name))
                        for step in 0..<20 {
                            await manager.set(PodStatus(phase: "Running", message: "\(step)"), for: pod(name))
                            await Task.yield()
                        }
                    }
                }
            }
            for await _ in fake.calls {
                if names.allSatisfy({ fake.stored("default/\($0)")?.status?.message == "19" }) { break }
            }
            #expect(!fake.overlapped)
        }
    }

    @Test("a failed write arrives after a wait")
    func retries() async {
        let (fake, clock) = (FakePods([pod("a")]), ManualClock())
        var (calls, sleeps) = (fake.calls.makeAsyncIterator(), clock.sleeps.makeAsyncIterator())
        fake.fail(FakePods.error(503, .serviceUnavailable), FakePods.error(500, .internalError))
        await withManager(fake, clock: clock) { manager in
            await manager.observe(pod("a"))
            await manager.set(PodStatus(phase: "Running"), for: pod("a"))
            for expected in [Duration.milliseconds(200), .milliseconds(400)] {
                #expect(await calls.next(isolation: nil) == .patch("a"))
                #expect(await sleeps.next(isolation: nil) == expected)
                #expect(fake.stored("default/a")?.status?.phase == "Pending")
                clock.advance(by: expected)
            }
            #expect(await calls.next(isolation: nil) == .patch("a"))
            #expect(fake.stored("default/a")?.status?.phase == "Running")
        }
    }

    @Test("the last status arrives before the pod is deleted")
    func deletes() async {
        let fake = FakePods([pod("a")])
        var calls = fake.calls.makeAsyncIterator()
        var dying = pod("a")
        dying.metadata.deletionTimestamp = Timestamp(seconds: 1)
        fake.put(dying)
        await withManager(fake) { manager in
            await manager.observe(dying)
            await manager.set(PodStatus(phase: "Succeeded"), for: dying)
            await manager.deletePod(dying)
            #expect(await calls.next(isolation: nil) == .patch("a"))
            #expect(await calls.next(isolation: nil) == .delete("a"))
            #expect(fake.stored("default/a") == nil)
        }
    }

    @Test("no status crosses from one pod to another of the same name")
    func replacedPod() async {
        let fake = FakePods()
        var replacement = pod("a")
        replacement.metadata.uid = "uid-new"
        fake.put(replacement)
        let clock = ManualClock()
        var (calls, sleeps) = (fake.calls.makeAsyncIterator(), clock.sleeps.makeAsyncIterator())
        await withManager(fake, clock: clock) { manager in
            await manager.observe(pod("a"))
            await manager.set(PodStatus(phase: "Failed"), for: pod("a"))
            #expect(await calls.next(isolation: nil) == .patch("a"))
            if let wait = await sleeps.next(isolation: nil) { clock.advance(by: wait) }
            #expect(await calls.next(isolation: nil) == .get("a"))
            #expect(fake.stored("default/a")?.status?.phase == "Pending")
        }
    }
}
