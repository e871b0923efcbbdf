import KubernetesAPI
import NIOCore
import Testing

@testable import ControlEndpoint

@Suite("Writing over the API")
struct EndpointAPIWriteTests {
    private static let configMaps = "/api/v1/namespaces/default/configmaps"
    private static let pods = "/api/v1/namespaces/default/pods"

    @Test("a new object gets identity, time and version, and can be read back")
    func create() async throws {
        let endpoint = try await EndpointFixture()
        let made = try await endpoint.create(Self.configMaps, EndpointFixture.configMap("a", ["k": "v"]))
        #expect(made.string("kind") == "ConfigMap")
        #expect(made.string("apiVersion") == "v1")
        #expect(made.string("metadata", "namespace") == "default")
        #expect(made.string("metadata", "creationTimestamp") == endpoint.clock.now.rfc3339)
        let uid = made.string("metadata", "uid")
        #expect(uid.count == 36 && Array(uid)[14] == "4")
        let read = await endpoint.send("GET", Self.configMaps + "/a")
        #expect(read.value == made)
    }

    @Test("creating twice, in a missing namespace, under a bad name or with a version is refused in Kubernetes' words")
    func createRefused() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.configMaps, EndpointFixture.configMap("a"))
        let twice = await endpoint.send("POST", Self.configMaps, EndpointFixture.configMap("a"))
        #expect(twice.status == 409)
        #expect(twice.value.string("reason") == "AlreadyExists")
        #expect(twice.value.string("message") == "configmaps \"a\" already exists")
        let nowhere = await endpoint.send("POST", "/api/v1/namespaces/x/configmaps", EndpointFixture.configMap("a"))
        #expect(nowhere.status == 404)
        #expect(nowhere.value.string("message") == "namespaces \"x\" not found")
        let badName = await endpoint.send("POST", Self.configMaps, EndpointFixture.configMap("Bad_Name"))
        #expect(badName.status == 422)
        #expect(badName.value[path: "details", "causes"]?[0]?.string("field") == "metadata.name")
        var versioned = EndpointFixture.configMap("b")
        versioned.set("5", at: "metadata", "resourceVersion")
        #expect(await endpoint.send("POST", Self.configMaps, versioned).status == 400)
        var elsewhere = EndpointFixture.configMap("b")
        elsewhere.set("kube-system", at: "metadata", "namespace")
        #expect(await endpoint.send("POST", Self.configMaps, elsewhere).status == 400)
        var otherKind = EndpointFixture.configMap("b")
        otherKind["kind"] = "Secret"
        #expect(await endpoint.send("POST", Self.configMaps, otherKind).status == 400)
    }

    @Test("generateName draws a new name each time")
    func generateName() async throws {
        let endpoint = try await EndpointFixture()
        var names: Set<String> = []
        for _ in 0..<20 {
            let made = try await endpoint.create(Self.configMaps, ["metadata": ["generateName": "job-"]])
            names.insert(made.string("metadata", "name"))
        }
        #expect(names.count == 20)
        #expect(names.allSatisfy { $0.hasPrefix("job-") && $0.count == 9 })
    }

    @Test("a PUT with an old version is a conflict, one without a version is not")
    func optimisticLock() async throws {
        let endpoint = try await EndpointFixture()
        var object = try await endpoint.create(Self.configMaps, EndpointFixture.configMap("a", ["k": "1"]))
        let stale = object
        object.set("2", at: "data", "k")
        let updated = await endpoint.send("PUT", Self.configMaps + "/a", object)
        #expect(updated.status == 200)
        let conflict = await endpoint.send("PUT", Self.configMaps + "/a", stale)
        #expect(conflict.status == 409)
        #expect(
            conflict.value.string("message")
                == "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your "
                + "changes to the latest version and try again")
        let free = await endpoint.send("PUT", Self.configMaps + "/a", EndpointFixture.configMap("a", ["k": "3"]))
        #expect(free.value.string("data", "k") == "3")
        #expect(free.value.string("metadata", "uid") == object.string("metadata", "uid"))
        var foreign = EndpointFixture.configMap("a")
        foreign.set("00000000-0000-4000-8000-000000000000", at: "metadata", "uid")
        #expect(await endpoint.send("PUT", Self.configMaps + "/a", foreign).status == 409)
    }

    @Test("a write that changes nothing makes no new version")
    func noChange() async throws {
        let endpoint = try await EndpointFixture()
        let object = try await endpoint.create(Self.configMaps, EndpointFixture.configMap("a", ["k": "1"]))
        let patch: JSONValue = ["data": ["k": "1"]]
        let same = await endpoint.send(
            "PATCH", Self.configMaps + "/a", patch, contentType: "application/merge-patch+json")
        #expect(same.value == object)
    }

    @Test(
        "each kind of patch does its kind of merge",
        arguments: [
            ("application/merge-patch+json", #"{"spec":{"containers":[{"name":"main","image":"new:1"}]}}"#, ["new:1"]),
            (
                "application/strategic-merge-patch+json",
                #"{"spec":{"containers":[{"name":"main","image":"new:2"}]}}"#, ["new:2", "host:///"]
            ),
            (
                "application/json-patch+json",
                #"[{"op":"replace","path":"/spec/containers/1/image","value":"new:3"}]"#, ["host:///", "new:3"]
            ),
        ])
    func patches(type: String, body: String, images: [String]) async throws {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p")
        if images.count == 2 {
            pod.set(
                [["name": "main", "image": "host:///"], ["name": "side", "image": "host:///"]], at: "spec", "containers"
            )
        }
        try await endpoint.create(Self.pods, pod)
        let patch = try JSONValue(parsing: body.utf8)
        // A merge patch replaces the list, so it must bring all that the list had.
        var sent = patch
        if type == "application/merge-patch+json" {
            let whole = await endpoint.send("GET", Self.pods + "/p")
            var container = try #require(whole.value.list("spec", "containers").first)
            container["image"] = "new:1"
            sent = ["spec": ["containers": [container]]]
        }
        let answer = await endpoint.send("PATCH", Self.pods + "/p", sent, contentType: type)
        #expect(answer.status == 200, "\(answer.value)")
        #expect(answer.value.list("spec", "containers").map { $0.string("image") } == images)
        #expect(answer.value[path: "metadata", "generation"]?.intValue == 2)
    }

    @Test("unknown patch types are 415 with the types there are")
    func unsupportedPatch() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.configMaps, EndpointFixture.configMap("a"))
        for type in ["application/json", ""] {
            let answer = await endpoint.send("PATCH", Self.configMaps + "/a", [:], contentType: type)
            #expect(answer.status == 415)
            #expect(answer.value.string("message").contains("application/merge-patch+json"))
        }
    }

    @Test("a patch cannot change a pod's immutable fields, and says which ones it may change")
    func podImmutability() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p"))
        let patch: JSONValue = ["spec": ["hostNetwork": true]]
        let answer = await endpoint.send(
            "PATCH", Self.pods + "/p", patch, contentType: "application/strategic-merge-patch+json")
        #expect(answer.status == 422)
        #expect(answer.value.string("message").contains("pod updates may not change fields other than"))
    }

    @Test("status is written only through its subresource, and the rest only outside it")
    func statusSubresource() async throws {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p")
        pod["status"] = ["phase": "Running"]
        let made = try await endpoint.create(Self.pods, pod)
        #expect(made.string("status", "phase") == "Pending")
        #expect(made.string("status", "qosClass") == "BestEffort")
        let merge = "application/merge-patch+json"
        let main = await endpoint.send(
            "PATCH", Self.pods + "/p", ["status": ["phase": "Failed"]], contentType: merge)
        #expect(main.value.string("status", "phase") == "Pending")
        let status = await endpoint.send(
            "PATCH", Self.pods + "/p/status",
            ["status": ["phase": "Running"], "spec": ["containers": [["name": "main", "image": "evil"]]]],
            contentType: merge)
        try #require(status.status == 200, "\(status.value)")
        #expect(status.value.string("status", "phase") == "Running")
        #expect(status.value.list("spec", "containers").first?.string("image") == "host:///")
        #expect(status.value[path: "metadata", "generation"]?.intValue == 1)
        #expect(await endpoint.send("GET", Self.configMaps + "/a/status").status == 404)
    }

    @Test("a pod gets the admission defaults")
    func podDefaults() async throws {
        let endpoint = try await EndpointFixture()
        let pod = try await endpoint.create(Self.pods, EndpointFixture.pod("p"))
        #expect(pod.string("spec", "serviceAccountName") == "default")
        #expect(pod[path: "spec", "enableServiceLinks"]?.boolValue == true)
        #expect(pod[path: "spec", "terminationGracePeriodSeconds"]?.intValue == 30)
        let tolerations = pod.list("spec", "tolerations")
        #expect(
            tolerations.map { $0.string("key") } == [
                "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
            ])
        #expect(tolerations.allSatisfy { $0["tolerationSeconds"]?.intValue == 300 })
    }

    @Test("unknown fields are refused, warned of or ignored as the client wishes")
    func fieldValidation() async throws {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p")
        pod.set("x", at: "spec", "nodName")
        let strict = await endpoint.send("POST", Self.pods + "?fieldValidation=Strict", pod)
        #expect(strict.status == 400)
        #expect(
            strict.value.string("message")
                == "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field "
                + "\"spec.nodName\""
        )
        let warned = await endpoint.send("POST", Self.pods + "?dryRun=All", pod)
        #expect(warned.status == 201)
        #expect(warned.headers.map(\.value) == ["299 - \"unknown field \\\"spec.nodName\\\"\""])
        let ignored = await endpoint.send("POST", Self.pods + "?fieldValidation=Ignore", pod)
        #expect(ignored.status == 201)
        #expect(ignored.headers.isEmpty)
        #expect(ignored.value[path: "spec", "nodName"] == nil)
        #expect(await endpoint.send("POST", Self.pods + "?fieldValidation=Maybe", pod).status == 400)
    }

    @Test("a wrong type is a bad request that names the path")
    func wrongType() async throws {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p")
        pod.set("yes", at: "spec", "hostNetwork")
        let answer = await endpoint.send("POST", Self.pods, pod)
        #expect(answer.status == 400)
        #expect(answer.value.string("message").contains("spec.hostNetwork"))
    }

    @Test("broken bodies and foreign content types are told apart")
    func bodies() async throws {
        let endpoint = try await EndpointFixture()
        var request = APIRequest(method: "POST", target: Self.configMaps)
        request.contentType = "application/json"
        request.body = ByteBuffer(string: "{\"a\":")
        #expect(await endpoint.answer(to: request, as: EndpointFixture.admin).status == 400)
        request.contentType = "application/yaml"
        request.body = ByteBuffer(string: "metadata: {name: yam}\ndata: {k: v}\n")
        let yaml = await endpoint.answer(to: request, as: EndpointFixture.admin)
        #expect(yaml.status == 201)
        #expect(yaml.value.string("data", "k") == "v")
        request.contentType = "application/octet-stream"
        #expect(await endpoint.answer(to: request, as: EndpointFixture.admin).status == 415)
        let refused = await endpoint.send("GET", Self.configMaps, accept: "text/html")
        #expect(refused.status == 406)
    }

    @Test("a dry run leaves no trace")
    func dryRun() async throws {
        let endpoint = try await EndpointFixture()
        let before = endpoint.store.resourceVersion
        let made = await endpoint.send("POST", Self.configMaps + "?dryRun=All", EndpointFixture.configMap("a"))
        #expect(made.status == 201)
        #expect(endpoint.store.resourceVersion == before)
        #expect(await endpoint.send("GET", Self.configMaps + "/a").status == 404)
        #expect(
            await endpoint.send("POST", Self.configMaps + "?dryRun=Some", EndpointFixture.configMap("a")).status == 400)
    }

    @Test("a pod is bound once")
    func binding() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p"))
        let body: JSONValue = ["target": ["kind": "Node", "name": "n1"]]
        #expect(await endpoint.send("POST", Self.pods + "/p/binding", body).status == 201)
        let pod = await endpoint.send("GET", Self.pods + "/p")
        #expect(pod.value.string("spec", "nodeName") == "n1")
        let scheduled = pod.value.list("status", "conditions").first
        #expect(scheduled?.string("type") == "PodScheduled" && scheduled?.string("status") == "True")
        let again = await endpoint.send("POST", Self.pods + "/p/binding", body)
        #expect(again.status == 409)
        #expect(
            again.value.string("message")
                == "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"")
    }

    @Test("services get addresses of their own, keep them, and give them back")
    func serviceAddresses() async throws {
        let endpoint = try await EndpointFixture()
        let path = "/api/v1/namespaces/default/services"
        let service = { (name: String, address: String?) -> JSONValue in
            var body: JSONValue = ["metadata": ["name": .string(name)], "spec": ["ports": [["port": 80]]]]
            if let address { body.set(.string(address), at: "spec", "clusterIP") }
            return body
        }
        let first = try await endpoint.create(path, service("a", nil)).string("spec", "clusterIP")
        #expect(first.hasPrefix("10.96."))
        let taken = await endpoint.send("POST", path, service("b", first))
        #expect(taken.status == 422)
        #expect(await endpoint.send("POST", path, service("b", "192.0.2.1")).status == 422)
        let headless = try await endpoint.create(path, service("c", "None"))
        #expect(headless.string("spec", "clusterIP") == "None")
        // A refused creation must not keep the address it asked for.
        var broken = service("Not_A_Name", "10.96.7.7")
        broken.set("x", at: "spec", "type")
        #expect(await endpoint.send("POST", path, broken).status == 422)
        #expect(await endpoint.send("POST", path, service("e", "10.96.7.7")).status == 201)
        #expect(await endpoint.send("DELETE", path + "/a").status == 200)
        #expect(await endpoint.send("POST", path, service("d", first)).status == 201)
        let kubernetes = await endpoint.send("GET", path + "/kubernetes")
        #expect(kubernetes.value.string("spec", "clusterIP") == "10.96.0.1")
    }

    @Test("leases and events may be created by PUT, other kinds not")
    func createOnUpdate() async throws {
        let endpoint = try await EndpointFixture()
        let lease: JSONValue = ["metadata": ["name": "n1"], "spec": ["holderIdentity": "n1"]]
        let path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1"
        #expect(await endpoint.send("PUT", path, lease).status == 201)
        #expect(await endpoint.send("PUT", Self.configMaps + "/x", EndpointFixture.configMap("x")).status == 404)
    }

    @Test("secrets given as text are stored encoded")
    func stringData() async throws {
        let endpoint = try await EndpointFixture()
        let made = try await endpoint.create(
            "/api/v1/namespaces/default/secrets", ["metadata": ["name": "s"], "stringData": ["p": "hi"]])
        #expect(made.string("data", "p") == "aGk=")
        #expect(made["stringData"] == nil)
        #expect(made.string("type") == "Opaque")
    }
}
