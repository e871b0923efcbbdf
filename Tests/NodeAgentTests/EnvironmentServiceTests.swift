import KubernetesAPI
import NodeAgent
import Testing

@Suite struct EnvironmentServiceTests {
    private func service(
        _ name: String, _ namespace: String, address: String?, ports: [ServicePort] = [ServicePort(port: 80)]
    ) -> Service {
        Service(
            metadata: ObjectMeta(name: name, namespace: namespace), spec: ServiceSpec(ports: ports, clusterIP: address))
    }

    @Test("the variables of a service with a named, an unnamed and a UDP port")
    func golden() {
        let ports = [
            ServicePort(name: "client-tls", port: 6379), ServicePort(port: 53, nodePort: nil),
            ServicePort(name: "dns", protocol: "UDP", port: 53),
        ]
        let variables = ServiceEnvironment.variables(
            services: [service("redis-main", "shop", address: "10.0.0.11", ports: ports)], namespace: "shop",
            enableServiceLinks: true)
        #expect(
            variables == [
                "REDIS_MAIN_SERVICE_HOST": "10.0.0.11", "REDIS_MAIN_SERVICE_PORT": "6379",
                "REDIS_MAIN_SERVICE_PORT_CLIENT_TLS": "6379", "REDIS_MAIN_SERVICE_PORT_DNS": "53",
                "REDIS_MAIN_PORT": "tcp://10.0.0.11:6379", "REDIS_MAIN_PORT_6379_TCP": "tcp://10.0.0.11:6379",
                "REDIS_MAIN_PORT_6379_TCP_PROTO": "tcp", "REDIS_MAIN_PORT_6379_TCP_PORT": "6379",
                "REDIS_MAIN_PORT_6379_TCP_ADDR": "10.0.0.11", "REDIS_MAIN_PORT_53_TCP": "tcp://10.0.0.11:53",
                "REDIS_MAIN_PORT_53_TCP_PROTO": "tcp", "REDIS_MAIN_PORT_53_TCP_PORT": "53",
                "REDIS_MAIN_PORT_53_TCP_ADDR": "10.0.0.11", "REDIS_MAIN_PORT_53_UDP": "udp://10.0.0.11:53",
                "REDIS_MAIN_PORT_53_UDP_PROTO": "udp", "REDIS_MAIN_PORT_53_UDP_PORT": "53",
                "REDIS_MAIN_PORT_53_UDP_ADDR": "10.0.0.11",
            ])
    }

    @Test("an IPv6 address is bracketed in URLs only")
    func ipv6() {
        let variables = ServiceEnvironment.variables(
            services: [service("web", "shop", address: "fd00::1")], namespace: "shop", enableServiceLinks: true)
        #expect(variables["WEB_PORT"] == "tcp://[fd00::1]:80")
        #expect(variables["WEB_SERVICE_HOST"] == "fd00::1")
    }

    @Test("only services with an address in the pod's namespace, and kubernetes of default always")
    func visibility() {
        let services = [
            service("kubernetes", "default", address: "10.0.0.1"), service("web", "shop", address: "10.0.0.2"),
            service("headless", "shop", address: "None"), service("external", "shop", address: nil),
            service("other", "elsewhere", address: "10.0.0.3"), service("second", "default", address: "10.0.0.4"),
        ]
        func hosts(_ links: Bool, _ services: [Service]) -> [String: String] {
            ServiceEnvironment.variables(services: services, namespace: "shop", enableServiceLinks: links)
                .filter { $0.key.hasSuffix("_SERVICE_HOST") }
        }
        #expect(
            hosts(true, services) == ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "WEB_SERVICE_HOST": "10.0.0.2"])
        #expect(hosts(false, services) == ["KUBERNETES_SERVICE_HOST": "10.0.0.1"])
        let own = service("kubernetes", "shop", address: "10.0.0.9")
        #expect(hosts(true, services + [own])["KUBERNETES_SERVICE_HOST"] == "10.0.0.9")
        #expect(hosts(true, [own] + services)["KUBERNETES_SERVICE_HOST"] == "10.0.0.9")
    }
}
