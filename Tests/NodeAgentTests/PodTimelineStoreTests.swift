import Glibc
import KubernetesAPI
import LinuxKernel
import Logging
import TestSupport
import Testing

@testable import NodeAgent

@Suite struct PodTimelineStoreTests {
    /// A directory for one test, and what stores of one node are made of.
    private final class Place {
        let directory: String
        let clock = ManualClock()

        init() throws {
            var template = Array("/tmp/swiftlet-timeline.XXXXXX\0".utf8CString)
            guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
            directory = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            try FileSystem.makeDirectories(directory + "/u1")
        }

        deinit { try? FileSystem.removeTree(directory) }

        var file: String { directory + "/u1/timeline" }

        func store(boot: String = "boot-1") -> PodTimelineStore {
            PodTimelineStore(
                podsDirectory: directory, boot: boot, clock: clock, wallClock: { Timestamp(seconds: 1_000_000) },
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }

        func text() throws -> String { try FileSystem.readText(file) }

        func write(_ text: String) throws { try FileSystem.writeAtomically(file, text.utf8, durable: false) }
    }

    private let pod = Pod(metadata: ObjectMeta(name: "web", namespace: "default", uid: "u1"))

    private func tell(_ store: PodTimelineStore, _ message: String, reason: String = "Pulled") {
        store.record(
            ObjectReference(
                kind: "Pod", namespace: "default", name: "web", uid: "u1", fieldPath: "spec.containers{app}"),
            type: .normal, reason: reason, message: message)
    }

    private func messages(_ store: PodTimelineStore) async -> [String] {
        await store.entries(of: "u1").map(\.message)
    }

    @Test("what one agent recorded, the next one knows, and says that it is the next")
    func survival() async throws {
        let place = try Place()
        let first = place.store()
        first.begin(pod)
        tell(first, "one")
        tell(first, "two")
        await first.flush()
        let second = place.store()
        second.begin(pod)
        tell(second, "three")
        let entries = await second.entries(of: "u1")
        #expect(entries.map(\.reason) == ["Pulled", "Pulled", "AgentStarted", "Pulled"])
        #expect(entries.map(\.container) == ["app", "app", nil, "app"])
        await second.flush()
        let third = place.store(boot: "boot-2")
        third.begin(pod)
        let last = await third.entries(of: "u1")
        #expect(last.map(\.reason) == ["Pulled", "Pulled", "AgentStarted", "Pulled", "MachineStarted"])
        await third.flush()
        let fourth = place.store(boot: "boot-2")
        fourth.begin(pod)
        #expect(await fourth.entries(of: "u1").last?.reason == "AgentStarted")
    }

    @Test("a pod that is new was found by no agent")
    func newPod() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        await store.flush()
        #expect(await store.entries(of: "u1").isEmpty)
        #expect(!FileSystem.exists(place.file))
    }

    @Test("run() writes as it is told")
    func running() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            group.cancelAll()
        }
        #expect(try place.text().contains("\"one\""))
    }

    @Test("a torn last line costs that line")
    func tornLine() async throws {
        let place = try Place()
        let first = place.store()
        first.begin(pod)
        tell(first, "one")
        tell(first, "two")
        await first.flush()
        let text = try place.text()
        try place.write(String(text.dropLast(20)))
        let second = place.store()
        second.begin(pod)
        #expect(await messages(second).first == "one")
        #expect(!(await messages(second)).contains("two"))
        tell(second, "three")
        await second.flush()
        let third = place.store()
        third.begin(pod)
        let all = await messages(third)
        #expect(all.contains("one") && all.contains("three"))
        #expect(!FileSystem.exists(place.file + ".damaged"))
    }

    @Test("a line in the middle that cannot be read costs that line, and the file is made whole")
    func damagedLine() async throws {
        let place = try Place()
        let first = place.store()
        first.begin(pod)
        tell(first, "one")
        tell(first, "two")
        await first.flush()
        var lines = try place.text().split(separator: "\n").map(String.init)
        lines.insert("{\"kind\":[[[[[[[[[[", at: 2)
        try place.write(lines.joined(separator: "\n") + "\n")
        let second = place.store()
        second.begin(pod)
        #expect(Array(await messages(second).prefix(2)) == ["one", "two"])
        await second.flush()
        #expect(!(try place.text()).contains("[[["))
    }

    @Test(
        "a file that is no timeline is set aside",
        arguments: [
            "garbage\n", "\u{0}\u{1}\u{2}", "{}\n{}\n", "{\"timeline\":2}\n", "\n",
            String(repeating: "x", count: 1 << 20 | 1),
        ])
    func garbage(content: String) async throws {
        let place = try Place()
        try place.write(content)
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        #expect(await messages(store) == ["one"])
        await store.flush()
        #expect(FileSystem.exists(place.file + ".damaged"))
        #expect(try place.text().split(separator: "\n").count == 2)
    }

    @Test("an empty file is an empty timeline")
    func emptyFile() async throws {
        let place = try Place()
        try place.write("")
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        await store.flush()
        #expect(await messages(store) == ["one"])
        #expect(!FileSystem.exists(place.file + ".damaged"))
    }

    @Test("a link in the file's place is not followed")
    func link() async throws {
        let place = try Place()
        let target = place.directory + "/target"
        try FileSystem.writeAtomically(target, "keep".utf8, durable: false)
        #expect(symlink(target, place.file) == 0)
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        await store.flush()
        #expect(try FileSystem.readText(target) == "keep")
        #expect(try place.text().contains("one"))
    }

    @Test("a file that has grown is written anew, and loses nothing that is remembered")
    func compaction() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        for number in 0..<500 {
            tell(store, "message \(number % 40) " + String(repeating: "-", count: 200))
            await store.flush()
        }
        #expect(try FileSystem.read(place.file).count < PodTimelineFile.rewriteSize + 1024)
        let second = place.store()
        second.begin(pod)
        let entries = await second.entries(of: "u1")
        #expect(entries.filter { $0.kind == .event }.count == 40)
        #expect(entries.map(\.count).reduce(0, +) == 501)
    }

    @Test("more than the limit between two writes is no more than the limit on disk")
    func burst() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        for number in 0..<1000 { tell(store, "message \(number)") }
        await store.flush()
        #expect(try place.text().split(separator: "\n").count == PodTimeline.limit + 1)
        #expect(await messages(store).last == "message 999")
    }

    @Test("a pod that is gone is remembered, and nothing is written for it any more")
    func gone() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        await store.end("u1")
        try FileSystem.removeTree(place.directory + "/u1")
        tell(store, "two")
        await store.flush()
        #expect(!FileSystem.exists(place.directory + "/u1"))
        #expect(store.gone(namespace: "default", name: "web")?.entries.map(\.message) == ["one"])
        #expect(await store.entries(of: "u1").isEmpty)
        for number in 0..<PodTimelineStore.goneLimit {
            let uid = "other-\(number)"
            store.begin(Pod(metadata: ObjectMeta(name: uid, namespace: "default", uid: uid)))
            await store.end(uid)
        }
        #expect(store.gone(namespace: "default", name: "web") == nil)
        #expect(store.gone.count == PodTimelineStore.goneLimit)
    }

    @Test("a pod that comes back under its UID goes on with its timeline")
    func comeBack() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        await store.end("u1")
        try FileSystem.removeTree(place.directory + "/u1")
        store.begin(pod)
        try FileSystem.makeDirectories(place.directory + "/u1")
        tell(store, "two")
        await store.flush()
        #expect(await messages(store) == ["one", "two"])
        #expect(try place.text().split(separator: "\n").count == 3)
    }

    @Test("what is told before the pod's directory is there is written once it is")
    func lateDirectory() async throws {
        let place = try Place()
        try FileSystem.removeTree(place.directory + "/u1")
        let store = place.store()
        store.begin(pod)
        tell(store, "one")
        await store.flush()
        #expect(!FileSystem.exists(place.directory + "/u1"))
        try FileSystem.makeDirectories(place.directory + "/u1")
        tell(store, "two")
        await store.flush()
        #expect(try place.text().split(separator: "\n").count == 3)
    }

    @Test("unsafe and unknown pods, and other objects, are not kept")
    func unknown() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(Pod(metadata: ObjectMeta(name: "bad", namespace: "default", uid: "../u1")))
        store.begin(Pod(metadata: ObjectMeta(name: "none", namespace: "default")))
        tell(store, "nobody began with it")
        await store.flush()
        #expect(await store.entries(of: "u1").isEmpty)
        #expect(try FileSystem.list(place.directory + "/u1").isEmpty)
        store.begin(pod)
        store.record(
            ObjectReference(kind: "Node", name: "web", uid: "u1"), type: .normal, reason: "NodeReady", message: "m")
        #expect(await store.entries(of: "u1").isEmpty)
    }

    @Test("the countdown to the next try follows the clock, not the wall")
    func countdown() throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        store.record(pod, from: nil, to: PodStatus(), nextTries: ["app": .seconds(80)])
        place.clock.advance(by: .seconds(12))
        #expect(store.nextTries(of: "u1") == ["app": .seconds(68)])
        place.clock.advance(by: .seconds(100))
        #expect(store.nextTries(of: "u1") == ["app": .zero])
        store.record(pod, from: PodStatus(), to: PodStatus())
        #expect(store.nextTries(of: "u1").isEmpty)
    }

    @Test("a stop of the node is in every timeline")
    func stop() async throws {
        let place = try Place()
        let store = place.store()
        store.begin(pod)
        store.nodeStops()
        #expect(await store.entries(of: "u1").map(\.reason) == ["NodeStopped"])
    }

    @Test(
        "a full disk costs lines on disk only, and once there is room all of them are there",
        .enabled(if: geteuid() == 0))
    func fullDisk() async throws {
        let place = try Place()
        let directory = place.directory + "/u1"
        try #require(mount("tmpfs", directory, "tmpfs", 0, "size=128k") == 0)
        defer { umount2(directory, Int32(MNT_DETACH)) }
        let store = place.store()
        store.begin(pod)
        tell(store, "before")
        await store.flush()
        let filler = directory + "/filler"
        try? FileSystem.writeAtomically(filler, [UInt8](repeating: 1, count: 120 << 10), durable: false)
        for number in 0..<30 {
            tell(store, "message \(number) " + String(repeating: "-", count: 300))
            await store.flush()
        }
        #expect(await store.entries(of: "u1").count == 31)
        let reader = place.store()
        reader.begin(pod)
        #expect(await reader.entries(of: "u1").first?.message == "before")
        #expect(unlink(filler) == 0)
        tell(store, "after")
        await store.flush()
        #expect(try place.text().split(separator: "\n").count == 33)
    }
}
