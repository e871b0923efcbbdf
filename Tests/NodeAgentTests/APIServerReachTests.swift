import KubernetesAPI
import NodeAgent
import PodNetwork
import Testing

@Suite("Where pods reach the API server of their own node")
struct APIServerReachTests {
    private func reach(_ listen: String, _ cidrs: String...) throws -> APIServerReach {
        try #require(
            APIServerReach(listenAddress: listen, port: 6443, podCIDRs: try cidrs.map { try CIDR(parsing: $0) }))
    }

    @Test("a server on the loopback is reached from the host's network alone")
    func loopback() throws {
        let found = try reach("127.0.0.1", "10.244.0.0/24")
        #expect(found.forHostNetwork.host == "127.0.0.1")
        #expect(found.forPods == nil)
        #expect(try reach("::1", "10.244.0.0/24").forPods == nil)
    }

    @Test("a wildcard is reached at the pods' gateway of a family it takes")
    func wildcard() throws {
        let found = try reach("0.0.0.0", "fd00:10:244::/64", "10.244.0.0/24")
        #expect(found.forHostNetwork.host == "127.0.0.1")
        #expect(found.forPods?.host == "10.244.0.1")
        #expect(try reach("0.0.0.0", "fd00:10:244::/64").forPods == nil)
        #expect(try reach("::", "fd00:10:244::/64").forPods?.host == "fd00:10:244::1")
    }

    @Test("any other address is the same for all")
    func address() throws {
        let found = try reach("192.0.2.7", "10.244.0.0/24")
        #expect(found.forPods == found.forHostNetwork)
        #expect(found.forPods?.host == "192.0.2.7")
        #expect(APIServerReach(listenAddress: "example", port: 1, podCIDRs: []) == nil)
    }

    @Test("only the service kubernetes of the namespace default gets the address")
    func services() throws {
        let found = try reach("0.0.0.0", "10.244.0.0/24")
        let own = service("kubernetes", "team")
        let changed = found.services([service("kubernetes", "default"), own], forHostNetwork: false)
        #expect(changed[0].spec.clusterIP == "10.244.0.1")
        #expect(changed[0].spec.ports?.map(\.port) == [6443])
        #expect(changed[1] == own)
        let loopback = try reach("127.0.0.1", "10.244.0.0/24")
        let given = [service("kubernetes", "default")]
        #expect(loopback.services(given, forHostNetwork: false) == given)
        #expect(loopback.services(given, forHostNetwork: true)[0].spec.clusterIP == "127.0.0.1")
    }

    private func service(_ name: String, _ namespace: String) -> Service {
        var service = Service()
        service.metadata = ObjectMeta(name: name, namespace: namespace)
        service.spec.clusterIP = "10.96.0.1"
        service.spec.ports = [ServicePort(name: "https", port: 443)]
        return service
    }
}
