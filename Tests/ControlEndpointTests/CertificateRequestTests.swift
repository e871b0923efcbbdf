import Glibc
import KubernetesAPI
import Logging
import Testing

@testable import ControlEndpoint

@Suite("Certificate requests over the API")
struct CertificateRequestTests {
    private static let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    /// `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=people/CN=bob`
    private static let bob =
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIYk1JR0JBZ0VBTUI4eER6QU5CZ05WQkFvTUJuQmxiM0JzWlRF"
        + "TU1Bb0dBMVVFQXd3RFltOWlNRmt3RXdZSApLb1pJemowQ0FRWUlLb1pJemowREFRY0RRZ0FFUzJ5NEJIU2VVSG1SSytVNXFpMlc2"
        + "OXhPMmo3Q2RwWXBhTFpaClZ5Ri9ORUNmSjBra0YwTXlwbTJFc2Y0RjNSd0IyRjlwWHBsSkszRFhBOHZ2c3g1UXBLQUFNQW9HQ0Nx"
        + "R1NNNDkKQkFNQ0Ewa0FNRVlDSVFDT1VmaC9IbDhzaEtUdU8vSFV4MWt4WUEzcEExOUVxR0JIdkpmeXMzRmdIZ0loQUpwbgpwZzdq"
        + "Ym1NS1ZGNTNMcUZkY1ROOTdGSTdmK2N6L1FuWEdxbmZFVzdBCi0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="
    /// The same with /O=system:masters/CN=bob.
    private static let master =
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIaE1JR0pBZ0VBTUNjeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRw"
        + "dFlYTjBaWEp6TVF3d0NnWURWUVFEREFOaQpiMkl3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVE5V0VmVFo4U1Fu"
        + "NEV4Zk9ObkVoYU9ZelNZCjNUcnhaSGYxNXBpQzRUSWhTS2NiUDY3VTBleEJRbWVmN3gwY0dIaDNEbjg4NnRVbTA5bTJNbXJtbzZi"
        + "a29BQXcKQ2dZSUtvWkl6ajBFQXdJRFJ3QXdSQUlnUDMzc2JuLzJ5b2VlVjhFOUsxVTNYSS9mVi9DMGdTcmhCRkYwWDFreQpmTmtD"
        + "SUJRNklwS1NybVk3dGRQR3BkZVp6MXFmUy95WjNXWSswN1pkUnNyZjJETEMKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0t"
        + "LS0tCg=="

    private func request(
        _ name: String, _ text: String = bob, signer: String = "kubernetes.io/kube-apiserver-client",
        usages: JSONValue = ["client auth"]
    ) -> JSONValue {
        [
            "metadata": ["name": .string(name)],
            "spec": ["request": .string(text), "signerName": .string(signer), "usages": usages],
        ]
    }

    @Test("who asked is the server's to say, and what cannot be signed is refused")
    func creation() async throws {
        let endpoint = try await EndpointFixture()
        var given = request("a")
        given.set("somebody", at: "spec", "username")
        let made = try await endpoint.create(Self.requests, given)
        #expect(made.string("spec", "username") == "swiftlet-admin")
        #expect(made.list("spec", "groups") == ["system:authenticated", "system:masters"])
        #expect(await endpoint.send("POST", Self.requests, request("b", "bm90aGluZw==")).status == 422)
        #expect(await endpoint.send("POST", Self.requests, request("c", signer: "nobody")).status == 422)
        #expect(await endpoint.send("POST", Self.requests, request("d", usages: ["flying"])).status == 422)
        let master = await endpoint.send("POST", Self.requests, request("e", Self.master))
        #expect(master.status == 403)
        #expect(master.value.string("message").contains("system:masters group is not allowed"))
    }

    @Test("a decision goes through its own subresource, stays, and takes the right to decide for the signer")
    func approval() async throws {
        let endpoint = try await EndpointFixture()
        var made = try await endpoint.create(Self.requests, request("a"))
        made.set([["type": "Approved", "status": "True", "reason": "Test"]], at: "status", "conditions")
        let unheard = await endpoint.send("PUT", Self.requests + "/a", made)
        #expect(unheard.value.list("status", "conditions").isEmpty)
        made.set(nil, at: "metadata", "resourceVersion")
        let approved = await endpoint.send("PUT", Self.requests + "/a/approval", made)
        #expect(approved.status == 200, "\(approved.value)")
        #expect(approved.value.list("status", "conditions").map { $0.string("type") } == ["Approved"])
        made.set([], at: "status", "conditions")
        #expect(await endpoint.send("PUT", Self.requests + "/a/approval", made).status == 422)
        made.set([["type": "Denied", "status": "True"]], at: "status", "conditions")
        #expect(await endpoint.send("PUT", Self.requests + "/a/approval", made).status == 422)
    }

    @Test(
        "only a signer's own uses and subjects are signed",
        arguments: [
            ("kubernetes.io/kube-apiserver-client", ["client auth"], true),
            ("kubernetes.io/kube-apiserver-client", ["client auth", "server auth"], false),
            ("kubernetes.io/kube-apiserver-client-kubelet", ["client auth"], false),
            ("kubernetes.io/kubelet-serving", ["server auth"], false),
        ])
    func signing(name: String, usages: [String], isSigned: Bool) throws {
        let directory = try EndpointFixture.makeDirectory()
        defer {
            for name in ["ca.pem", "ca.crt"] { unlink(directory + "/pki/" + name) }
            rmdir(directory + "/pki")
            rmdir(directory)
        }
        let authority = try CertificateAuthority.loadOrCreate(
            directory: directory + "/pki", logger: Logger(label: "test"))
        let signer = try #require(CertificateSigner.Signer(rawValue: name))
        let result = Result { () throws(CertificateSigner.Refusal) in
            try CertificateSigner(authority: authority).sign(
                Self.bob, as: signer, usages: usages, seconds: 600, now: Int64(time(nil)))
        }
        switch result {
        case .success: #expect(isSigned)
        case .failure(let refusal): #expect(!isSigned, "\(refusal)")
        }
    }
}
