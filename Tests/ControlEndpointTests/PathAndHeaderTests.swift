import Testing

@testable import ControlEndpoint

@Suite("Requests are read right")
struct PathAndHeaderTests {
    @Test("paths give group, version, namespace, resource, name and subresource")
    func paths() throws {
        let pod = try #require(
            try RequestInfo(method: "GET", path: "/api/v1/namespaces/a/pods/p/log", isWatch: false))
        #expect(pod.verb == .get && pod.group.isEmpty && pod.version == "v1" && pod.namespace == "a")
        #expect(pod.resource == "pods" && pod.name == "p" && pod.subresource == "log")
        let lease = try #require(
            try RequestInfo(method: "POST", path: "/apis/coordination.k8s.io/v1/namespaces/n/leases", isWatch: false))
        #expect(lease.verb == .create && lease.group == "coordination.k8s.io" && lease.name == nil)
        let namespace = try #require(
            try RequestInfo(method: "PATCH", path: "/api/v1/namespaces/a/status", isWatch: false))
        #expect(namespace.resource == "namespaces" && namespace.name == "a" && namespace.subresource == "status")
        #expect(namespace.namespace == nil)
        let watch = try #require(try RequestInfo(method: "GET", path: "/api/v1/watch/pods", isWatch: false))
        #expect(watch.verb == .watch && watch.resource == "pods")
        let escaped = try #require(try RequestInfo(method: "GET", path: "/api/v1/nodes/a%3Ab", isWatch: false))
        #expect(escaped.name == "a:b")
    }

    @Test(
        "what is no resource path is none",
        arguments: ["/", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", ""])
    func noResource(path: String) throws {
        #expect(try RequestInfo(method: "GET", path: path, isWatch: false) == nil)
    }

    @Test(
        "escapes that smuggle a slash, a parent or broken text are refused",
        arguments: ["a%2Fb", "%2e%2e", "%zz", "%ff", "%00"])
    func smuggling(segment: String) {
        #expect(throws: APIStatusError.self) {
            try RequestInfo(method: "GET", path: "/api/v1/nodes/\(segment)", isWatch: false)
        }
    }

    @Test("the query is decoded, repeated and empty parameters included")
    func query() throws {
        let query = QueryParameters(parsing: "a=1&a=2&b=x%3Dy+z&watch&c=&broken=%zz")
        #expect(query.all("a") == ["1", "2"])
        #expect(query["b"] == "x=y z")
        #expect(query.flag("watch") && !query.flag("missing"))
        #expect(query["c"].isEmpty && query["broken"].isEmpty)
        #expect(try query.integer("a") == 1)
        #expect(throws: APIStatusError.self) { try query.integer("b") }
    }

    @Test("the first form the client takes and we have is chosen")
    func representation() throws {
        #expect(Representation(accept: "")?.form == .object)
        #expect(Representation(accept: "application/vnd.kubernetes.protobuf,application/json")?.form == .object)
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io"
        #expect(Representation(accept: table)?.form == .table(version: "v1"))
        #expect(
            Representation(accept: "application/json;as=Table;v=v9;g=meta.k8s.io,application/json")?.form == .object)
        #expect(Representation(accept: "application/yaml")?.contentType == "application/yaml")
        #expect(Representation(accept: "text/html") == nil)
    }

    @Test("service addresses stay inside their network and run out in order")
    func allocator() throws {
        #expect(ServiceAddressAllocator(cidr: "10.96.0.0/31") == nil)
        #expect(ServiceAddressAllocator(cidr: "10.96.0.0") == nil)
        #expect(ServiceAddressAllocator(cidr: "fd00::/64") == nil)
        let allocator = try #require(ServiceAddressAllocator(cidr: "10.0.0.0/29"))
        #expect(allocator.reserve(allocator.first))
        #expect(!allocator.reserve("10.0.0.0") && !allocator.reserve("10.0.0.7") && !allocator.reserve("10.0.1.1"))
        var given: Set<String> = []
        while let address = allocator.allocate() { given.insert(address) }
        #expect(given == ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"])
        allocator.release("10.0.0.4")
        #expect(allocator.allocate() == "10.0.0.4")
    }
}
