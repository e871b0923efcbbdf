import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("What a pod gets from its service account")
struct ServiceAccountAdmissionTests {
    private static let path = "/var/run/secrets/kubernetes.io/serviceaccount"

    private func admit(_ spec: JSONValue, account: JSONValue? = [:], annotations: JSONValue = [:]) throws -> JSONValue {
        var pod: JSONValue = [
            "metadata": ["name": "p", "namespace": "ns", "annotations": annotations], "spec": spec,
        ]
        try ServiceAccountAdmission(
            account: { ["default", "robot"].contains($0) ? account : nil }, volumeName: { $0 + "abcde" }
        ).admit(&pod)
        return pod["spec"] ?? .null
    }

    private func mounts(_ spec: JSONValue, _ list: String, _ index: Int = 0) -> [JSONValue] {
        spec[list]?[index]?.list("volumeMounts") ?? []
    }

    @Test("every container, also of the start, sees the token, the certificate and the namespace")
    func mounted() throws {
        let spec = try admit(["containers": [["name": "a"], ["name": "b"]], "initContainers": [["name": "i"]]])
        #expect(spec.string("serviceAccountName") == "default")
        let mount: JSONValue = ["name": "kube-api-access-abcde", "readOnly": true, "mountPath": .string(Self.path)]
        #expect(mounts(spec, "containers", 0) == [mount])
        #expect(mounts(spec, "containers", 1) == [mount])
        #expect(mounts(spec, "initContainers") == [mount])
        let volumes = spec.list("volumes")
        #expect(volumes.count == 1)
        let sources = volumes[0][path: "projected"]?.list("sources") ?? []
        #expect(volumes[0][path: "projected", "defaultMode"] == 420)
        #expect(sources.first?[path: "serviceAccountToken", "expirationSeconds"] == 3607)
        #expect(sources.dropFirst().first?.string("configMap", "name") == "kube-root-ca.crt")
        #expect(
            sources.last?.list("downwardAPI", "items").first?.string("fieldRef", "fieldPath") == "metadata.namespace")
    }

    @Test("a container with something at that place keeps it, and no volume is made for nobody")
    func kept() throws {
        let own: JSONValue = ["name": "own", "mountPath": .string(Self.path)]
        let spec = try admit(["containers": [["name": "a", "volumeMounts": [own]]], "volumes": [["name": "own"]]])
        #expect(mounts(spec, "containers") == [own])
        #expect(spec.list("volumes") == [["name": "own"]])
    }

    @Test("a volume that is there already is used, as in a pod that was copied from another")
    func copied() throws {
        let spec = try admit(["containers": [["name": "a"]], "volumes": [["name": "kube-api-access-zzzzz"]]])
        #expect(mounts(spec, "containers").first?.string("name") == "kube-api-access-zzzzz")
        #expect(spec.list("volumes").count == 1)
    }

    @Test(
        "the pod decides about the token, then the account",
        arguments: [
            (nil, nil, true), (nil, false, false), (true, false, true), (false, true, false), (nil, true, true),
        ] as [(Bool?, Bool?, Bool)])
    func automount(pod: Bool?, account: Bool?, expected: Bool) throws {
        var spec: JSONValue = ["containers": [["name": "a"]]]
        if let pod { spec["automountServiceAccountToken"] = .bool(pod) }
        let admitted = try admit(spec, account: account.map { ["automountServiceAccountToken": .bool($0)] } ?? [:])
        #expect(!admitted.list("volumes").isEmpty == expected)
    }

    @Test("pull secrets come from the account, unless the pod has its own")
    func pullSecrets() throws {
        let account: JSONValue = ["imagePullSecrets": [["name": "registry"]]]
        #expect(try admit(["containers": []], account: account).list("imagePullSecrets") == [["name": "registry"]])
        let own: JSONValue = ["containers": [], "imagePullSecrets": [["name": "own"]]]
        #expect(try admit(own, account: account).list("imagePullSecrets") == [["name": "own"]])
    }

    @Test("an account that does not exist is refused by name; the older field names one, too")
    func missing() throws {
        let error = #expect(throws: APIStatusError.self) { try admit(["serviceAccountName": "ghost"]) }
        #expect(error?.code == 403)
        #expect(error?.message.contains("ns/ghost") == true)
        #expect(try admit(["serviceAccount": "robot"]).string("serviceAccountName") == "robot")
    }

    @Test("the mirror of a static pod stays as it is")
    func mirror() throws {
        let spec: JSONValue = ["containers": [["name": "a"]]]
        #expect(try admit(spec, account: nil, annotations: ["kubernetes.io/config.mirror": "1"]) == spec)
    }

    @Test(
        "what is no container is left for the decoder to refuse",
        arguments: [["containers": 7], ["containers": [7]]] as [JSONValue])
    func nonsense(spec: JSONValue) throws {
        #expect(try admit(spec)["containers"] == spec["containers"])
    }
}
