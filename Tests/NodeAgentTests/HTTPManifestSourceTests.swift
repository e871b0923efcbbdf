import KubernetesAPI
import Logging
import Synchronization
import TestSupport
import Testing

@testable import NodeAgent

@Suite("Manifests over HTTP", .timeLimit(.minutes(5)))
struct HTTPManifestSourceTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Answers as told, one answer for each request.
    private final class FakeServer: ManifestFetching {
        private let answers: Mutex<[Result<String, ManifestFetchError>]>

        init(_ answers: [Result<String, ManifestFetchError>]) { self.answers = Mutex(answers) }

        func fetch() async throws(ManifestFetchError) -> [UInt8] {
            let next = answers.withLock { $0.isEmpty ? .failure(ManifestFetchError("no more")) : $0.removeFirst() }
            return Array(try next.get().utf8)
        }
    }

    private static func pod(_ name: String, _ image: String) -> String {
        "{apiVersion: v1, kind: Pod, metadata: {name: \(name)}, spec: {containers: [{name: c, image: \(image)}]}}\n"
    }

    private static func line(_ update: PodUpdate) -> String {
        func text(_ pod: Pod) -> String { "\(pod.metadata.name ?? "") \(pod.spec.containers.first?.image ?? "")" }
        return switch update {
        case .snapshotComplete(let source): "complete \(source)"
        case .applied(let pod, let source): "+\(text(pod)) \(source)"
        case .removed(let pod, let source): "-\(text(pod)) \(source)"
        }
    }

    /// Everything told for a sequence of answers, `|` between them; and the problems at the end.
    private func told(_ answers: [Result<String, ManifestFetchError>]) async throws -> (lines: [String], [String]) {
        let time = ManualClock()
        let source = HTTPManifestSource(
            url: try ManifestURL(parsing: "https://config.example/node?key=hidden"), nodeName: "n",
            fetcher: FakeServer(answers), clock: time, logger: Self.logger)
        let lines = Mutex<[String]>([])
        var sleeps = time.sleeps.makeAsyncIterator()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run() }
            for index in answers.indices {
                #expect(await sleeps.next() == .seconds(20))
                if index == answers.indices.last { break }
                time.advance(by: .seconds(20))
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        // The stream has ended with the source, so this takes what is there.
        for await update in source.updates { lines.withLock { $0.append(Self.line(update)) } }
        return (lines.withLock { $0 }, await source.problems.map(\.message))
    }

    @Test("a changed document replaces its pods; an unchanged one says nothing; the first ends the listing")
    func changes() async throws {
        let (lines, problems) = try await told([
            .success(Self.pod("a", "i1")), .success(Self.pod("a", "i1")), .success(Self.pod("a", "i2")),
            .success(#"{"kind": "PodList", "apiVersion": "v1", "items": []}"#),
        ])
        #expect(lines == ["+a-n i1 http", "complete http", "-a-n i1 http", "+a-n i2 http", "-a-n i2 http"])
        #expect(problems.isEmpty)
    }

    @Test("an unreachable server leaves the last good set, and before the first answer nothing is complete")
    func unreachable() async throws {
        let failure = Result<String, ManifestFetchError>.failure(ManifestFetchError("refused"))
        #expect(try await told([failure, failure]).lines.isEmpty)
        let good = Result<String, ManifestFetchError>.success(Self.pod("a", "i1"))
        let (lines, _) = try await told([failure, good, failure, good])
        #expect(lines == ["+a-n i1 http", "complete http"])
    }

    @Test("an answer that is no manifest completes nothing, removes nothing and is named")
    func bad() async throws {
        let page = "<html>\n<body>Bad gateway</body></html>"
        let (nothing, first) = try await told([.success(page)])
        #expect(nothing.isEmpty)
        #expect(first.allSatisfy { $0.hasPrefix("https://config.example/node:") } && !first.isEmpty, "\(first)")
        let bad = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  contianers: []"
        let (lines, second) = try await told([.success(Self.pod("a", "i1")), .success(bad)])
        #expect(lines == ["+a-n i1 http", "complete http"])
        #expect(
            second.first?.hasPrefix("https://config.example/node:5:3: spec.contianers: unknown field") == true,
            "\(second)")
        #expect(second.first?.hasSuffix("what the file defined before stays in force") == true)
        // After the mistake the same pod again is no change.
        let again = try await told([.success(Self.pod("a", "i1")), .success(bad), .success(Self.pod("a", "i1"))])
        #expect(again.lines == ["+a-n i1 http", "complete http"])
        #expect(again.1.isEmpty)
    }

    @Test("an empty answer defines no pods")
    func empty() async throws {
        #expect(try await told([.success("")]).lines == ["complete http"])
        #expect(
            try await told([.success(Self.pod("a", "i1")), .success("")]).lines
                == ["+a-n i1 http", "complete http", "-a-n i1 http"])
    }

    @Test("objects other than pods are refused from a URL")
    func otherKinds() async throws {
        let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {k: v}}"
        let (lines, problems) = try await told([.success(map)])
        #expect(lines.isEmpty)
        #expect(problems.first?.contains("only v1 Pod and PodList can come from a URL") == true)
    }

    @Test("a pod of a URL is static, marked as such, and named by the URL; it gets no toleration of its own")
    func identity() throws {
        func pod(_ origin: StaticPod.Origin, node: String = "n") throws -> Pod {
            let manifest = try ManifestFile.parse(
                Self.pod("a", "i"), file: "x", origin: origin, nodeName: node)
            return try #require(manifest.pods.first?.object)
        }
        let first = try pod(.url("http://h/a"))
        #expect(first.isStatic)
        #expect(first.metadata.annotations?["kubernetes.io/config.source"] == "http")
        #expect(first.metadata.annotations?["kubernetes.io/config.hash"] == first.metadata.uid)
        #expect(first.spec.tolerations == nil)
        #expect(try pod(.url("http://h/b")).metadata.uid != first.metadata.uid)
        #expect(try pod(.file("http://h/a")).metadata.uid != first.metadata.uid)
    }

    @Test(
        "a URL that cannot be one is refused without showing its secrets",
        arguments: [
            ("ftp://h/x", "must begin with http:// or https://"), ("https://", "names no host"),
            ("https://:80/", "names no host"), ("https://user:pass@h/", "must not hold a user name or password"),
            ("https://h/a b", "must be ASCII without spaces"), ("https://h/\r\nX: y", "must be ASCII without spaces"),
        ])
    func urls(text: String, expected: String) {
        #expect {
            try ManifestURL(parsing: text)
        } throws: { error in
            "\(error)".contains(expected) && !"\(error)".contains("pass@")
        }
    }

    @Test("the query of a URL is in no message")
    func urlDescription() throws {
        #expect(try ManifestURL(parsing: "http://h:80/a?token=x#y").description == "http://h:80/a")
        #expect(try ManifestURL(parsing: "http://h/a?token=x").text == "http://h/a?token=x")
    }
}
