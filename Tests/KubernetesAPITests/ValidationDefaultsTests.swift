import KubernetesAPI
import Testing

@Suite("Validation: defaults")
struct ValidationDefaultsTests {
    private func defaulted<T: Codable & Defaultable>(_: T.Type, _ text: String) throws -> JSONValue {
        var value = try decodedObject(T.self, text)
        value.applyDefaults()
        let once = value
        value.applyDefaults()
        let first = try JSONValueEncoder().encode(once)
        #expect(try JSONValueEncoder().encode(value) == first, "defaulting twice is defaulting once")
        return first
    }

    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text.utf8) }

    @Test("a minimal pod gets the API server's defaults")
    func minimalPod() throws {
        let pod = try defaulted(
            Pod.self, #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#)
        #expect(
            try pod
                == json(
                    """
                    {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"restartPolicy":"Always",
                    "dnsPolicy":"ClusterFirst","schedulerName":"default-scheduler","terminationGracePeriodSeconds":30,
                    "enableServiceLinks":true,"securityContext":{},"containers":[{"name":"c","image":"i",
                    "imagePullPolicy":"Always","terminationMessagePath":"/dev/termination-log",
                    "terminationMessagePolicy":"File"}]}}
                    """))
    }

    @Test(
        "requests of the pod as a whole come from its containers' requests, else from its own limits",
        arguments: [
            (#"{"limits":{"cpu":"2","memory":"8Mi"}}"#, #"{"cpu":"1","memory":"8Mi"}"#),
            (#"{"requests":{"memory":"4Mi"}}"#, #"{"cpu":"1","memory":"4Mi"}"#),
            (#"{"limits":{"cpu":"2"},"requests":{"cpu":"1500m"}}"#, #"{"cpu":"1500m"}"#),
        ])
    func podLevelRequests(resources: String, requests: String) throws {
        let pod = try defaulted(
            Pod.self,
            #"{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"1"}}}],"resources":\#(resources)}}"#)
        #expect(try pod[path: "spec", "resources", "requests"] == json(requests))
    }

    @Test("nothing the user gave is replaced")
    func givenValuesStay() throws {
        let given = try TypesFixture.read("pod-web.json")
        let result = try defaulted(Pod.self, String(decoding: given.serialized(), as: UTF8.self))
        func missing(_ given: JSONValue, _ result: JSONValue?, _ path: String) -> [String] {
            guard let result else { return [path] }
            switch given {
            case .object(let members): return members.flatMap { missing($1, result[$0], "\(path).\($0)") }
            case .array(let values): return values.enumerated().flatMap { missing($1, result[$0], "\(path)[\($0)]") }
            case .null, .bool, .integer, .double, .string: return given == result ? [] : [path]
            }
        }
        #expect(missing(given, result, "") == [])
    }

    @Test(
        "the pull policy follows from the reference",
        arguments: [
            ("web", "Always"), ("web:latest", "Always"), ("web:1", "IfNotPresent"), ("host:5000/web", "Always"),
            ("host:5000/web:2", "IfNotPresent"), ("web@sha256:00", "IfNotPresent"),
            ("web:latest@sha256:00", "IfNotPresent"), ("", "Always"),
        ])
    func pullPolicy(image: String, policy: String) {
        #expect(ImagePullPolicy.defaultFor(image: image).rawValue == policy)
    }

    @Test(
        "every volume source gets its defaults",
        arguments: [
            (#"{"name":"v"}"#, #"{"name":"v","emptyDir":{}}"#),
            (#"{"name":"v","hostPath":{"path":"/x"}}"#, #"{"name":"v","hostPath":{"path":"/x","type":""}}"#),
            (#"{"name":"v","configMap":{"name":"c"}}"#, #"{"name":"v","configMap":{"name":"c","defaultMode":420}}"#),
            (
                #"{"name":"v","secret":{"secretName":"s","defaultMode":256}}"#,
                #"{"name":"v","secret":{"secretName":"s","defaultMode":256}}"#
            ),
            (
                #"{"name":"v","downwardAPI":{"items":[{"path":"a","fieldRef":{"fieldPath":"metadata.name"}}]}}"#,
                #"{"name":"v","downwardAPI":{"defaultMode":420,"items":[{"path":"a","#
                    + #""fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}]}}"#
            ),
            (
                #"{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}"#,
                #"{"name":"v","projected":{"defaultMode":420,"sources":["#
                    + #"{"serviceAccountToken":{"path":"t","expirationSeconds":3600}}]}}"#
            ),
            (#"{"name":"v","gitRepo":{"repository":"r"}}"#, #"{"name":"v","gitRepo":{"repository":"r"}}"#),
            (
                #"{"name":"v","image":{"reference":"a:1"}}"#,
                #"{"name":"v","image":{"reference":"a:1","pullPolicy":"IfNotPresent"}}"#
            ),
        ])
    func volumes(given: String, expected: String) throws {
        #expect(try defaulted(Volume.self, given) == json(expected))
    }

    @Test("probes get thresholds and times, and 0 counts as absent")
    func probes() throws {
        #expect(
            try defaulted(Probe.self, #"{"httpGet":{"port":80},"periodSeconds":0,"timeoutSeconds":7}"#)
                == json(
                    #"{"httpGet":{"port":80,"path":"/","scheme":"HTTP"},"timeoutSeconds":7,"periodSeconds":10,"#
                        + #""successThreshold":1,"failureThreshold":3}"#
                ))
    }

    @Test("a resource with only a limit is requested up to it")
    func limitsBecomeRequests() throws {
        #expect(
            try defaulted(
                ResourceRequirements.self, #"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m"}}"#)
                == json(#"{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m","memory":"1Gi"}}"#))
    }

    @Test("on the host network a port is the host's port; the old name of the account follows the new one")
    func hostNetworkAndAccount() throws {
        let pod = try defaulted(
            Pod.self,
            #"{"spec":{"hostNetwork":true,"serviceAccount":"x","containers":[{"name":"c","image":"i:1","#
                + #""ports":[{"containerPort":80}]}]}}"#
        )
        #expect(pod["spec"]?["containers"]?[0]?["ports"]?[0]?["hostPort"] == .integer(80))
        #expect(pod["spec"]?["containers"]?[0]?["ports"]?[0]?["protocol"] == .string("TCP"))
        #expect(pod["spec"]?["serviceAccountName"] == .string("x"))
    }

    @Test("services, namespaces, secrets and nodes get theirs")
    func otherKinds() throws {
        let service = try defaulted(Service.self, #"{"spec":{"ports":[{"port":80},{"port":81,"targetPort":"web"}]}}"#)
        #expect(
            try service["spec"]
                == json(
                    #"{"type":"ClusterIP","sessionAffinity":"None","internalTrafficPolicy":"Cluster","ports":["#
                        + #"{"port":80,"targetPort":80,"protocol":"TCP"},"#
                        + #"{"port":81,"targetPort":"web","protocol":"TCP"}]}"#
                ))
        let namespace = try defaulted(Namespace.self, #"{"metadata":{"name":"shop"}}"#)
        #expect(namespace["status"]?["phase"] == .string("Active"))
        #expect(namespace["spec"]?["finalizers"] == .array([.string("kubernetes")]))
        #expect(namespace["metadata"]?["labels"]?["kubernetes.io/metadata.name"] == .string("shop"))
        let secret = try defaulted(
            Secret.self, #"{"data":{"a":"eA==","b":"eQ=="},"stringData":{"a":"hunter2"}}"#)
        #expect(secret["data"] == .object(["a": .string("aHVudGVyMg=="), "b": .string("eQ==")]))
        #expect(secret["stringData"] == nil && secret["type"] == .string("Opaque"))
        let node = try defaulted(Node.self, #"{"status":{"capacity":{"cpu":"2"}}}"#)
        #expect(node["status"]?["allocatable"]?["cpu"] == .string("2"))
    }

    @Test(
        "base64 goes both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"), ("\u{0}ÿ", "AMO/"),
        ])
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test("what is not base64 is refused", arguments: ["Zg", "Zg=", "Zg===", "=", "Z", "Zm9v!", "Zg==Zg==", "Zé=="])
    func notBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
