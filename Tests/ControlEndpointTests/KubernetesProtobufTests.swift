import KubernetesAPI
import NIOCore
import Testing

@testable import ControlEndpoint

@Suite("Bodies in Kubernetes' binary form")
struct KubernetesProtobufTests {
    /// What kubectl 1.37 sends for `create namespace zz`.
    private static let namespace: [UInt8] = [
        0x6b, 0x38, 0x73, 0x00, 0x0a, 0x0f, 0x0a, 0x02, 0x76, 0x31, 0x12, 0x09, 0x4e, 0x61, 0x6d, 0x65, 0x73, 0x70,
        0x61,
        0x63, 0x65, 0x12, 0x1a, 0x0a, 0x12, 0x0a, 0x02, 0x7a, 0x7a, 0x12, 0x00, 0x1a, 0x00, 0x22, 0x00, 0x2a, 0x00,
        0x32,
        0x00, 0x38, 0x00, 0x42, 0x00, 0x12, 0x00, 0x1a, 0x02, 0x0a, 0x00, 0x1a, 0x00, 0x22, 0x00,
    ]

    private func envelope(_ kind: String, _ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var raw = ProtobufWriter()
        raw.message(1) {
            $0.string(1, "v1")
            $0.string(2, kind)
        }
        raw.message(2, body)
        return [0x6b, 0x38, 0x73, 0x00] + raw.bytes
    }

    @Test("a captured body of kubectl becomes its object, zero values left out")
    func captured() throws {
        let object = try KubernetesProtobuf.decode(Self.namespace)
        #expect(
            object == [
                "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "zz"], "spec": [:], "status": [:],
            ])
    }

    @Test("it can be posted")
    func post() async throws {
        let endpoint = try await EndpointFixture()
        var request = APIRequest(method: "POST", target: "/api/v1/namespaces")
        request.contentType = "application/vnd.kubernetes.protobuf"
        request.accept = "application/vnd.kubernetes.protobuf,application/json"
        request.body = ByteBuffer(bytes: Self.namespace)
        let answer = await endpoint.answer(to: request, as: EndpointFixture.admin)
        #expect(answer.status == 201)
        #expect(answer.contentType == "application/json")
        #expect(answer.value.string("status", "phase") == "Active")
    }

    @Test("maps, bytes, lists, quantities, ports by name and embedded messages find their places")
    func shapes() throws {
        let secret = try KubernetesProtobuf.decode(
            envelope("Secret") { secret in
                secret.message(2) { entry in
                    entry.string(1, "p")
                    entry.string(2, "hi")
                }
                secret.bool(5, true)
            })
        #expect(secret.string("data", "p") == "aGk=")
        #expect(secret["immutable"]?.boolValue == true)
        let pod = try KubernetesProtobuf.decode(
            envelope("Pod") { pod in
                pod.message(2) { spec in
                    spec.message(1) { volume in
                        volume.string(1, "v")
                        volume.message(2) { source in source.message(2) { _ in } }
                    }
                    spec.message(2) { container in
                        container.string(1, "main")
                        container.message(8) { resources in
                            resources.message(1) { entry in
                                entry.string(1, "cpu")
                                entry.message(2) { $0.string(1, "100m") }
                            }
                        }
                        container.message(10) { probe in
                            probe.message(1) { handler in
                                handler.message(2) { get in
                                    get.message(2) { port in
                                        port.bool(1, true)
                                        port.string(3, "http")
                                    }
                                }
                            }
                        }
                    }
                }
            })
        let spec = pod["spec"] ?? [:]
        #expect(spec.list("volumes") == [["name": "v", "emptyDir": [:]]])
        let container = try #require(spec.list("containers").first)
        #expect(container.string("resources", "limits", "cpu") == "100m")
        #expect(container.string("livenessProbe", "httpGet", "port") == "http")
    }

    @Test("a cut, endless or over-long body is a bad request, never a crash")
    func malformed() throws {
        for length in 4..<Self.namespace.count - 1 {
            // A cut may by chance leave a whole message; it must not do anything else.
            let result = Result { try KubernetesProtobuf.decode(Array(Self.namespace.prefix(length))) }
            if case .failure(let error) = result { #expect([400, 415].contains((error as? APIStatusError)?.code)) }
        }
        let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]
        for rest in [
            [UInt8](repeating: 0xFF, count: 20), [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x0B],
        ] {
            let error = #expect(throws: APIStatusError.self) { try KubernetesProtobuf.decode(magic + rest) }
            #expect(error?.code == 400)
        }
        let unknown = #expect(throws: APIStatusError.self) {
            try KubernetesProtobuf.decode(envelope("Gadget") { _ in })
        }
        #expect(unknown?.code == 415)
        #expect(throws: APIStatusError.self) { try KubernetesProtobuf.decode([]) }
    }

    @Test("every message the table names is in the table")
    func complete() {
        let leaves: Set<Substring> = ["s", "i", "d", "b", "y", "T", "U", "Q", "I"]
        for (message, fields) in ProtobufFieldTable.messages {
            for field in fields.values {
                var type = field.type
                if type.first == "r" || type.first == "m" { type = type.dropFirst() }
                let isKnown = leaves.contains(type) || ProtobufFieldTable.messages[String(type)] != nil
                #expect(isKnown, "\(message).\(field.name): \(type)")
            }
        }
        #expect(ProtobufFieldTable.messages.count > 150)
    }
}
