import KubernetesAPI
import Testing

@testable import NodeAgent

struct PodHostnameTests {
    private static func name(_ podName: String = "web", _ change: (inout PodSpec) -> Void = { _ in }) -> PodHostname {
        var spec = PodSpec(containers: [])
        change(&spec)
        return PodHostname(
            Pod(metadata: ObjectMeta(name: podName, namespace: "shop"), spec: spec), nodeName: "node",
            clusterDomain: "cluster.local")
    }

    @Test("the host name is the spec's, or the pod's name cut to a label")
    func host() throws {
        #expect(try Self.name().kernelName() == "web")
        #expect(try Self.name { $0.hostname = "front" }.kernelName() == "front")
        let cut = String(repeating: "a", count: 61)
        #expect(Self.name(cut + "-.b").host == cut)
        #expect(Self.name { $0.hostNetwork = true }.host == "node")
    }

    @Test("a subdomain gives a domain, and the kernel hears of it only when the pod asks for it")
    func fullyQualified() throws {
        let plain = Self.name { $0.subdomain = "db" }
        #expect(plain.domain == "db.shop.svc.cluster.local")
        #expect(try plain.kernelName() == "web")
        let asked = Self.name { ($0.subdomain, $0.setHostnameAsFQDN) = ("db", true) }
        #expect(try asked.kernelName() == "web.db.shop.svc.cluster.local")
        #expect(asked.host == "web")
        #expect(try Self.name { $0.setHostnameAsFQDN = true }.kernelName() == "web", "without a subdomain")
        let hosts = Self.name { ($0.subdomain, $0.setHostnameAsFQDN, $0.hostNetwork) = ("db", true, true) }
        #expect(try hosts.kernelName() == "node")
    }

    @Test("a whole name of more than 64 bytes is an error that says so")
    func tooLong() throws {
        // ".db.shop.svc.cluster.local" has 26 bytes.
        let longest = String(repeating: "a", count: 38)
        let asked = { (spec: inout PodSpec) in (spec.subdomain, spec.setHostnameAsFQDN) = ("db", true) }
        #expect(try Self.name(longest, asked).kernelName().utf8.count == 64)
        let error = #expect(throws: ContainerConfigError.self) { try Self.name(longest + "a", asked).kernelName() }
        #expect(error?.message.hasSuffix("is too long (64 characters is the max, 65 characters requested)") == true)
    }

    @Test("an override stands for itself")
    func override() throws {
        let name = Self.name { ($0.hostnameOverride, $0.subdomain, $0.hostname) = ("a.b.example", "db", "x") }
        #expect(try name.kernelName() == "a.b.example")
        #expect(name.domain == "")
    }
}
