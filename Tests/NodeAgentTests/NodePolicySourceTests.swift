import Glibc
import KubernetesAPI
import LinuxKernel
import Logging
import Testing
import Volumes

@testable import NodeAgent

@Suite("The policy's file")
struct NodePolicySourceTests {
    /// A directory with a policy file that belongs to whoever runs the test.
    private final class Place {
        let directory: String
        var file: String { directory + "/policy.yaml" }

        init() throws {
            var template = Array("/tmp/swiftlet-policy-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
            directory = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        deinit { try? FileSystem.removeTree(directory) }

        func write(_ text: String, mode: UInt32 = 0o644) throws {
            try FileSystem.writeAtomically(file, Array(text.utf8), mode: mode, durable: false)
        }

        func source(isRequired: Bool = false, owner: UInt32 = geteuid()) throws(NodePolicyError)
            -> NodePolicySource
        {
            try NodePolicySource(
                path: file, isRequired: isRequired, owner: owner,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    private static func failure(_ body: () throws(NodePolicyError) -> NodePolicySource) -> String? {
        do throws(NodePolicyError) {
            _ = try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static let rule = "rules:\n- {name: one, allow: {hostPID: true}}\n"

    @Test("no file is the built-in policy, unless somebody named it")
    func absent() throws {
        let place = try Place()
        #expect(try place.source().policy == NodePolicy())
        #expect(
            Self.failure { () throws(NodePolicyError) in try place.source(isRequired: true) }
                == "\(place.file): no such file")
    }

    @Test("a file that others can write, or that is not the owner's, is not taken", arguments: [0o666, 0o664, 0o646])
    func writable(_ mode: UInt32) throws {
        let place = try Place()
        try place.write(Self.rule, mode: mode)
        let problem = Self.failure { () throws(NodePolicyError) in try place.source() }
        #expect(problem?.contains("can be written by others than its owner (mode \(String(mode, radix: 8)))") == true)
        try place.write(Self.rule)
        let foreign = Self.failure { () throws(NodePolicyError) in try place.source(owner: geteuid() + 1) }
        #expect(foreign?.contains("belongs to user \(geteuid())") == true)
        #expect(try place.source().policy.rules.count == 1)
    }

    @Test("what is no file, no text or too large is not taken, and nothing hangs")
    func hostile() throws {
        let place = try Place()
        #expect(mkfifo(place.file, 0o600) == 0)
        #expect(
            Self.failure { () throws(NodePolicyError) in try place.source() }?.contains("not a regular file") == true)
        unlink(place.file)
        #expect(mkdir(place.file, 0o700) == 0)
        #expect(
            Self.failure { () throws(NodePolicyError) in try place.source() }?.contains("not a regular file") == true)
        rmdir(place.file)
        try FileSystem.writeAtomically(place.file, [0xFF, 0xFE], mode: 0o644, durable: false)
        #expect(Self.failure { () throws(NodePolicyError) in try place.source() }?.contains("not valid UTF-8") == true)
        try place.write(String(repeating: "#", count: 2 << 20))
        #expect(Self.failure { () throws(NodePolicyError) in try place.source() }?.contains("cannot be read") == true)
    }

    /// Writes, and gives what the source says once it has noticed.
    private func change(
        _ source: NodePolicySource, _ news: AsyncStream<String?>, _ body: () throws -> Void
    ) async throws -> String? {
        try body()
        for await problem in news { return problem }
        return "the source ended"
    }

    @Test("a change is taken, a bad one leaves the last good one in force, and so does the file's end")
    func follow() async throws {
        let place = try Place()
        try place.write(Self.rule)
        let source = try place.source()
        let loop = try EpollLoop(name: "test")
        let (news, tell) = AsyncStream.makeStream(of: String?.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run(loop: loop) { tell.yield($0) } }
            #expect(
                try await change(source, news) { try place.write("rules:\n- {name: two}\n- {name: three}\n") } == nil)
            #expect(source.policy.rules.map(\.title) == ["\"two\"", "\"three\""])
            let bad = try await change(source, news) { try place.write("rules:\n- {nam: x}\n") }
            #expect(bad?.contains("rules[0].nam: unknown field") == true)
            #expect(source.policy.rules.count == 2 && source.problem == bad)
            #expect(try await change(source, news) { try place.write(Self.rule) } == nil)
            #expect(source.policy.rules.count == 1 && source.problem == nil)
            let loose = try await change(source, news) { #expect(chmod(place.file, 0o666) == 0) }
            #expect(loose?.contains("can be written by others") == true)
            let gone = try await change(source, news) { unlink(place.file) }
            #expect(gone?.contains("is gone") == true)
            #expect(source.policy.rules.count == 1)
            group.cancelAll()
        }
    }

    @Test("pods are held to the file of this moment, by the source the agent has them from")
    func check() async throws {
        let place = try Place()
        try place.write("rules:\n- {namespaces: [ops], allow: {hostPID: true}}\n")
        #expect(symlink("/usr/bin", place.directory + "/link") == 0)
        let check = PodPolicyCheck(
            source: try place.source(), protected: ProtectedPaths(root: "/r", run: "/u", logDirectory: "/l"),
            allowsHostRootfsFromAPI: false)
        func pod(_ namespace: String, _ source: String?, _ change: (inout PodSpec) -> Void) -> Pod {
            var spec = PodSpec(containers: [Container(name: "c", image: "busybox")])
            change(&spec)
            return Pod(
                metadata: ObjectMeta(
                    name: "p", namespace: namespace, annotations: source.map { [PodAnnotations.source: $0] }),
                spec: spec)
        }
        #expect(await check.decide(pod("ops", "api") { $0.hostPID = true }) == nil)
        let refused = await check.decide(pod("web", "api") { $0.hostPID = true })
        #expect(refused?.fields == "spec.hostPID")
        #expect(refused?.message.contains(place.file) == true)
        #expect(await check.decide(pod("web", "file") { $0.hostPID = true }) == nil)
        // Whoever is not marked, or marked with what the agent does not know, is trusted least.
        #expect(await check.decide(pod("web", nil) { $0.hostPID = true }) != nil)
        #expect(await check.decide(pod("web", "node") { $0.hostPID = true })?.source == .api)
        let linked = await check.decide(
            pod("web", "api") {
                $0.volumes = [Volume(name: "v", hostPath: HostPathVolumeSource(path: place.directory + "/link/new"))]
            })
        #expect(linked?.message.contains("it leads to /usr/bin/new") == true)
        #expect(check.access(of: pod("web", "api") { _ in }, to: "/usr/bin") == .none)
        #expect(check.access(of: pod("web", "file") { _ in }, to: "/usr/bin") == .readWrite)
        #expect(check.access(of: pod("web", "file") { _ in }, to: "/r/pods") == .none)
        #expect(check.access(of: pod("web", "file") { _ in }, to: "relative") == .none)
    }
}
