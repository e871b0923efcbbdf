import Glibc
import KubernetesAPI
import Logging
import NIOCore
import Synchronization
import Testing

@testable import ControlEndpoint

/// A whole endpoint without HTTP: a store in its own directory, removed at the end, and a clock the test moves.
final class EndpointFixture: Sendable {
    static let admin = Identity(name: "swiftlet-admin", groups: ["system:masters"])
    static let node = Identity(name: "system:node:n1", groups: ["system:nodes"])

    let directory: String
    let seal = ObjectSeal()
    let store: ResourceStore
    let operations: ResourceOperations
    let api: EndpointAPI
    let clock = FixtureClock(seconds: 1_800_000_000)

    init(
        logSource: (any PodLogSource)? = nil, metricsSource: (any UsageMetricsSource)? = nil,
        watchDefaults: WatchDefaults = WatchDefaults(),
        historyLimit: Int = WatchCache.historyLimit
    ) async throws {
        directory = try Self.makeDirectory()
        store = try ResourceStore(path: directory + "/state.db", seal: seal, historyLimit: historyLimit)
        let addresses = try #require(ServiceAddressAllocator(cidr: "10.96.0.0/16"))
        operations = ResourceOperations(
            registry: ResourceRegistry(
                metricsSource == nil ? ResourceRegistry.standard : ResourceRegistry.standard + ResourceRegistry.metrics),
            store: store, serviceAddresses: addresses, logger: Logger(label: "test"),
            clock: { [clock] in clock.now })
        api = EndpointAPI(
            operations: operations, logSource: logSource, metricsSource: metricsSource, watchDefaults: watchDefaults)
        try await operations.createSystemObjects(apiPort: 6443)
    }

    deinit {
        try? store.close()
        Self.remove(directory)
    }

    static func makeDirectory() throws -> String {
        var template = Array("/tmp/swiftlet-endpoint-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } }
        return String(cString: try #require(made))
    }

    static func remove(_ directory: String) {
        for name in ["state.db", "state.db-wal", "state.db-shm"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    struct Answer: Sendable {
        let status: Int
        let value: JSONValue
        let headers: [(name: String, value: String)]
        let contentType: String
        let text: String
    }

    func send(
        _ method: String, _ target: String, _ body: JSONValue? = nil, contentType: String = "application/json",
        accept: String = "application/json", as identity: Identity? = EndpointFixture.admin
    ) async -> Answer {
        var request = APIRequest(method: method, target: target)
        request.accept = accept
        request.contentType = contentType
        if let body { request.body = ByteBuffer(bytes: body.serialized()) }
        return await answer(to: request, as: identity)
    }

    func answer(to request: APIRequest, as identity: Identity?) async -> Answer {
        let response = await api.respond(to: request, identity: identity)
        let sink = Mutex(ByteBuffer())
        switch response.body {
        case .bytes(let buffer): sink.withLock { $0 = buffer }
        case .stream(let stream):
            let client = StreamClient(
                write: { part in sink.withLock { _ = $0.writeImmutableBuffer(part) } }, onGone: { _ in })
            try? await stream(client)
        }
        let buffer = sink.withLock { $0 }
        return Answer(
            status: response.status, value: (try? JSONValue(parsing: buffer.readableBytesView)) ?? .null,
            headers: response.headers, contentType: response.contentType, text: String(buffer: buffer))
    }

    /// Creates an object and demands that it worked.
    @discardableResult
    func create(_ path: String, _ body: JSONValue) async throws -> JSONValue {
        let answer = await send("POST", path, body)
        try #require(answer.status == 201, "\(answer.value)")
        return answer.value
    }

    static func pod(_ name: String, labels: [String: JSONValue] = [:], nodeName: String? = nil) -> JSONValue {
        var pod: JSONValue = [
            "metadata": ["name": .string(name), "labels": .object(labels)],
            "spec": ["containers": [["name": "main", "image": "host:///"]]],
        ]
        if let nodeName { pod.set(.string(nodeName), at: "spec", "nodeName") }
        return pod
    }

    static func configMap(_ name: String, _ data: [String: JSONValue] = [:], labels: [String: JSONValue] = [:])
        -> JSONValue
    {
        ["metadata": ["name": .string(name), "labels": .object(labels)], "data": .object(data)]
    }
}

/// Time that stands still until the test moves it.
final class FixtureClock: Sendable {
    private let seconds: Mutex<Int64>

    init(seconds: Int64) { self.seconds = Mutex(seconds) }

    var now: Timestamp { Timestamp(seconds: seconds.withLock { $0 }, nanoseconds: 0) }
    func advance(_ amount: Int64) { seconds.withLock { $0 += amount } }
}

/// A watching client: its events arrive one by one, and it can leave.
final class WatchProbe: Sendable {
    private let lines: AsyncStream<String>
    private let sink: AsyncStream<String>.Continuation
    private let gone = Mutex<[@Sendable () -> Void]>([])
    private let response: APIResponse

    init(_ fixture: EndpointFixture, _ target: String, accept: String = "application/json") async {
        var request = APIRequest(method: "GET", target: target)
        request.accept = accept
        response = await fixture.api.respond(to: request, identity: EndpointFixture.admin)
        (lines, sink) = AsyncStream.makeStream()
    }

    var status: Int { response.status }

    /// Runs the watch while `body` uses it, then leaves.
    func run(_ body: @Sendable @escaping (inout WatchReader) async throws -> Void) async throws {
        guard case .stream(let stream) = response.body else {
            Issue.record("the answer is no watch: \(response)")
            return
        }
        let client = StreamClient(
            write: { [sink] part in
                for line in String(buffer: part).split(separator: "\n") { sink.yield(String(line)) }
            },
            onGone: { [self] handler in gone.withLock { $0.append(handler) } })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [sink] in
                try await stream(client)
                sink.finish()
            }
            group.addTask { [self] in
                var reader = WatchReader(lines: lines)
                try await body(&reader)
                leave()
            }
            try await group.waitForAll()
        }
    }

    func leave() {
        for handler in gone.withLock({ $0 }) { handler() }
    }
}

/// Reads the events of a watch in order.
struct WatchReader {
    private var iterator: AsyncStream<String>.Iterator

    init(lines: AsyncStream<String>) { iterator = lines.makeAsyncIterator() }

    /// Nil when the watch has ended.
    mutating func next() async throws -> (type: String, object: JSONValue)? {
        guard let line = await iterator.next() else { return nil }
        let value = try JSONValue(parsing: line.utf8)
        return (value.string("type"), value["object"] ?? .null)
    }

    /// The next event as `TYPE name`.
    mutating func nextText() async throws -> String {
        guard let event = try await next() else { return "end" }
        return "\(event.type) \(event.object.string("metadata", "name"))"
    }
}
