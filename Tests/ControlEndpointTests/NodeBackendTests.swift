import KubernetesAPI
import Logging
import Testing
import X509

@testable import ControlEndpoint

@Suite("What is passed on to nodes and pods, and what nodes may call themselves")
struct NodeBackendTests {
    @Test(
        "the path behind proxy is not the API's, whatever it is",
        arguments: [
            ("/api/v1/namespaces/a/pods/web:80/proxy", ""), ("/api/v1/namespaces/a/pods/web/proxy/", "/"),
            ("/api/v1/namespaces/a/services/web/proxy/x//y/..%2f?", "/x//y/..%2f?"),
            ("/api/v1/nodes/n1/proxy/pods/proxy/", "/pods/proxy/"),
        ])
    func paths(path: String, rest: String) throws {
        let info = try #require(try RequestInfo(method: "GET", path: path, isWatch: true))
        #expect(info.subresource == "proxy" && info.proxyPath == rest && info.verb == .get)
    }

    @Test("a pod may be called proxy, and so may a namespace")
    func calledProxy() throws {
        for path in ["/api/v1/namespaces/proxy/pods/proxy/log", "/api/v1/namespaces/a/configmaps/proxy"] {
            #expect(try RequestInfo(method: "GET", path: path, isWatch: false)?.proxyPath == nil)
        }
    }

    @Test("a target has a name, and may have a scheme and a port")
    func targets() {
        #expect(ProxyTarget(parsing: "web")?.port == nil)
        #expect(ProxyTarget(parsing: "web:http")?.port == "http")
        #expect(ProxyTarget(parsing: "https:web:")?.scheme == "https")
        for text in ["", ":80", "ftp:web:80", "a:b:c:d"] { #expect(ProxyTarget(parsing: text) == nil, "\(text)") }
    }

    @Test(
        "nothing is passed on to this machine itself, or to all",
        arguments: [
            ("10.85.0.3", true), ("fd00::1", true), ("127.0.0.1", false), ("127.9.9.9", false), ("0.0.0.0", false),
            ("169.254.169.254", false), ("224.0.0.1", false), ("::1", false), ("::", false), ("fe80::1", false),
            ("::ffff:127.0.0.1", false), ("::ffff:10.0.0.1", true), ("ff02::1", false), ("localhost", false),
        ])
    func addresses(address: String, isAllowed: Bool) {
        #expect(ProxyBackend.isAllowed(address) == isAllowed)
    }

    @Test("a service leads to a ready pod at the port that it means there")
    func service() throws {
        let service: JSONValue = [
            "spec": ["ports": [["name": "web", "port": 80, "targetPort": "http"], ["name": "raw", "port": 81]]]
        ]
        let pod: JSONValue = [
            "spec": ["containers": [["ports": [["name": "http", "containerPort": 8080]]]]],
            "status": ["podIP": "10.0.0.2", "conditions": [["type": "Ready", "status": "True"]]],
        ]
        func port(_ name: String?) -> Int? {
            ProxyBackend.port(of: service, named: name).flatMap { ProxyBackend(readyPod: pod, servicePort: $0)?.port }
        }
        #expect(port("web") == 8080 && port("80") == 8080 && port("raw") == 81)
        #expect(port(nil) == nil && port("82") == nil)
        var unready = pod
        unready.set([["type": "Ready", "status": "False"]], at: "status", "conditions")
        #expect(ProxyBackend(readyPod: unready, servicePort: ["port": 80]) == nil)
    }

    @Test("a node's summary becomes metrics, without what has not been measured")
    func summary() throws {
        let measured: JSONValue = [
            "cpu": ["time": "2026-01-02T03:04:05Z", "usageNanoCores": 5_000_000], "memory": ["workingSetBytes": 1024],
        ]
        var container = measured
        container["name"] = "main"
        func pod(_ name: String, _ containers: JSONValue) -> JSONValue {
            ["podRef": ["namespace": "a", "name": .string(name)], "containers": containers]
        }
        let summary: JSONValue = [
            "node": measured,
            "pods": [pod("web", [container]), pod("young", [container, ["name": "late"]]), pod("empty", [])],
        ]
        let node = try #require(NodeSummary.node(summary, name: "n1"))
        #expect(node.usage?["cpu"]?.description == "5m" && node.usage?["memory"]?.description == "1Ki")
        #expect(NodeSummary.pods(summary).map(\.metadata.name) == ["web"])
        #expect(NodeSummary.node(["node": [:]], name: "n1") == nil)
    }

    @Test(
        "a node gets a certificate for its own name and addresses, and for nobody else's",
        arguments: [
            (["n1"], true), (["n1", "10.0.0.1", "fd00::1"], true), (["10.0.0.1"], true), (["n2"], false),
            (["n1", "10.0.0.2"], false), (["n1", "10.0.0.3"], false), (["n1", "10.0.0.9"], false),
            (["kubernetes"], false), (["n1", "127.0.0.1"], false), (["n1", "N2"], false),
        ])
    func names(asked: [String], isAllowed: Bool) {
        let names = NodeServingNames(
            nodeName: "n1", asked: asked.map(CertificateProfile.generalName),
            own: ["10.0.0.1", "fd00:0::1", "10.0.0.3", "10.0.0.9", "127.0.0.1"], others: ["10.0.0.2", "10.0.0.3"])
        #expect(names.areItsOwn(reserved: ["kubernetes", "127.0.0.1", "10.0.0.9"]) == isAllowed)
    }

    @Test("a node of the endpoint's name gets no certificate for it")
    func endpointName() {
        let names = NodeServingNames(
            nodeName: "kubernetes", asked: [CertificateProfile.generalName("kubernetes")], own: [], others: [])
        #expect(!names.areItsOwn(reserved: ["kubernetes"]))
    }
}
