import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Watching over the API", .timeLimit(.minutes(5)))
struct EndpointAPIWatchTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let merge = "application/merge-patch+json"

    @Test("a watch without a version begins with what exists, then tells every change in order")
    func fromNow() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("a"))
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=true")
        try await probe.run { (reader: inout WatchReader) async throws in
            #expect(try await reader.nextText() == "ADDED a")
            try await endpoint.create(Self.pods, EndpointFixture.pod("b"))
            #expect(try await reader.nextText() == "ADDED b")
            _ = await endpoint.send(
                "PATCH", Self.pods + "/a", ["metadata": ["labels": ["x": "y"]]], contentType: Self.merge)
            #expect(try await reader.nextText() == "MODIFIED a")
            _ = await endpoint.send("DELETE", Self.pods + "/a")
            let deleted = try #require(try await reader.next())
            #expect(deleted.type == "DELETED")
            #expect(deleted.object.string("metadata", "resourceVersion") == String(endpoint.store.resourceVersion))
        }
        #expect(endpoint.store.watcherCount == 0)
    }

    @Test("list, then watch from the list's version: nothing is missed, nothing comes twice")
    func listThenWatch() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("a"))
        let list = await endpoint.send("GET", Self.pods)
        try await endpoint.create(Self.pods, EndpointFixture.pod("b"))
        let version = list.value.string("metadata", "resourceVersion")
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=1&resourceVersion=\(version)")
        try await probe.run { (reader: inout WatchReader) async throws in
            #expect(try await reader.nextText() == "ADDED b")
            try await endpoint.create(Self.pods, EndpointFixture.pod("c"))
            #expect(try await reader.nextText() == "ADDED c")
        }
    }

    @Test("versions only ever grow, under many writers")
    func monotonic() async throws {
        let endpoint = try await EndpointFixture()
        let probe = await WatchProbe(
            endpoint, Self.pods + "?watch=true&resourceVersion=\(endpoint.store.resourceVersion)")
        try await probe.run { (reader: inout WatchReader) async throws in
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<60 {
                    group.addTask { _ = await endpoint.send("POST", Self.pods, EndpointFixture.pod("p\(index)")) }
                }
            }
            var last: Int64 = 0
            var names: Set<String> = []
            for _ in 0..<60 {
                let event = try #require(try await reader.next())
                let version = try #require(Int64(event.object.string("metadata", "resourceVersion")))
                #expect(version > last)
                last = version
                names.insert(event.object.string("metadata", "name"))
            }
            #expect(names.count == 60)
        }
    }

    @Test("an object that begins or ceases to match a selector is added or deleted for that watcher")
    func transitions() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("a"))
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=true&labelSelector=app%3Dx")
        try await probe.run { (reader: inout WatchReader) async throws in
            let label = { (value: JSONValue) -> JSONValue in ["metadata": ["labels": ["app": value]]] }
            for value in ["x", "x", "y"] {
                var patch = label(.string(value))
                patch.set(.string(UniqueIdentifier.random()), at: "metadata", "annotations", "change")
                _ = await endpoint.send("PATCH", Self.pods + "/a", patch, contentType: Self.merge)
            }
            #expect(try await reader.nextText() == "ADDED a")
            #expect(try await reader.nextText() == "MODIFIED a")
            let left = try #require(try await reader.next())
            #expect(left.type == "DELETED")
            #expect(left.object.string("metadata", "labels", "app") == "x")
            #expect(left.object.string("metadata", "resourceVersion") == String(endpoint.store.resourceVersion))
        }
    }

    @Test("a watch of one name sees no other object")
    func oneName() async throws {
        let endpoint = try await EndpointFixture()
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=true&fieldSelector=metadata.name%3Db")
        try await probe.run { (reader: inout WatchReader) async throws in
            try await endpoint.create(Self.pods, EndpointFixture.pod("a"))
            try await endpoint.create(Self.pods, EndpointFixture.pod("b"))
            #expect(try await reader.nextText() == "ADDED b")
        }
    }

    @Test("a version that is no longer known is answered with one ERROR event of code 410")
    func expired() async throws {
        let endpoint = try await EndpointFixture(historyLimit: 2)
        for index in 0..<5 { try await endpoint.create(Self.pods, EndpointFixture.pod("p\(index)")) }
        for version in ["1", "999999"] {
            let probe = await WatchProbe(endpoint, Self.pods + "?watch=true&resourceVersion=\(version)")
            try await probe.run { (reader: inout WatchReader) async throws in
                let event = try #require(try await reader.next())
                #expect(event.type == "ERROR")
                #expect(event.object["code"]?.intValue == 410)
                #expect(event.object.string("reason") == "Expired")
                #expect(try await reader.nextText() == "end")
            }
        }
    }

    @Test("initial events end with a marked bookmark, and ordinary bookmarks follow")
    func bookmarks() async throws {
        let endpoint = try await EndpointFixture(
            watchDefaults: WatchDefaults(bookmarkInterval: .milliseconds(20), minimumTimeout: .seconds(60)))
        try await endpoint.create(Self.pods, EndpointFixture.pod("a"))
        let query = "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        let probe = await WatchProbe(endpoint, Self.pods + query)
        try await probe.run { (reader: inout WatchReader) async throws in
            #expect(try await reader.nextText() == "ADDED a")
            let end = try #require(try await reader.next())
            #expect(end.type == "BOOKMARK")
            #expect(end.object.string("metadata", "annotations", "k8s.io/initial-events-end") == "true")
            #expect(end.object.string("metadata", "resourceVersion") == String(endpoint.store.resourceVersion))
            let next = try #require(try await reader.next())
            #expect(next.type == "BOOKMARK")
            #expect(next.object[path: "metadata", "annotations"] == nil)
        }
    }

    @Test("half a request for initial events is refused")
    func sendInitialEventsNeedsMatch() async throws {
        let endpoint = try await EndpointFixture()
        let answer = await endpoint.send("GET", Self.pods + "?watch=true&sendInitialEvents=true")
        #expect(answer.status == 422)
    }

    @Test("a watch ends when its time is up")
    func timeout() async throws {
        let endpoint = try await EndpointFixture()
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=true&timeoutSeconds=1")
        try await probe.run { (reader: inout WatchReader) async throws in
            #expect(try await reader.nextText() == "end")
        }
    }

    @Test("a stop of the endpoint ends every watch")
    func stop() async throws {
        let endpoint = try await EndpointFixture()
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=true")
        try await probe.run { (reader: inout WatchReader) async throws in
            endpoint.store.finishWatches()
            #expect(try await reader.nextText() == "end")
        }
    }

    @Test("a watched table sends its columns once")
    func table() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("a"))
        let accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
        let probe = await WatchProbe(endpoint, Self.pods + "?watch=true", accept: accept)
        try await probe.run { (reader: inout WatchReader) async throws in
            let first = try #require(try await reader.next())
            #expect(!first.object.list("columnDefinitions").isEmpty)
            #expect(first.object.list("rows").first?.list("cells").first == "a")
            try await endpoint.create(Self.pods, EndpointFixture.pod("b"))
            let second = try #require(try await reader.next())
            #expect(second.object.list("columnDefinitions").isEmpty)
            #expect(second.object.list("rows").first?.list("cells").first == "b")
        }
    }
}
