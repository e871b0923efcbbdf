import KubernetesAPI
import Testing

@testable import NodeAgent

struct PodPlacesTests {
    private static let places = PodPlaces(
        podsDirectory: "/run/pods", logsDirectory: "/var/log/pods", containerLogLinksDirectory: "/var/log/containers",
        claimsDirectory: "/var/lib/volumes")

    @Test("a claim's directory is below its namespace's, and a name that leads elsewhere has none")
    func claims() {
        #expect(Self.places.claim("books", namespace: "shop") == "/var/lib/volumes/shop/books")
        for (name, namespace) in [("..", "shop"), ("books", ".."), ("a/b", "shop"), (".books", "shop"), ("", "shop")] {
            #expect(Self.places.claim(name, namespace: namespace) == nil, "\(namespace)/\(name)")
        }
    }

    private static func pod(requests: [String: Quantity]? = nil, limits: [String: Quantity]? = nil) -> Pod {
        Pod(
            metadata: ObjectMeta(name: "p", namespace: "ns", uid: "u-1"),
            spec: PodSpec(containers: [
                Container(name: "c", resources: ResourceRequirements(limits: limits, requests: requests))
            ]))
    }

    @Test("logs lie where log shippers look for them")
    func logs() {
        let pod = Self.pod()
        #expect(Self.places.logDirectory(pod) == "/var/log/pods/ns_p_u-1")
        #expect(Self.places.logDirectory(pod, container: "c") == "/var/log/pods/ns_p_u-1/c")
        #expect(Self.places.log(pod, container: "c", attempt: 2) == "/var/log/pods/ns_p_u-1/c/2.log")
        #expect(Self.places.logLink(pod, container: "c", id: "ab12") == "/var/log/containers/p_ns_c-ab12.log")
    }

    @Test("a pod's files are in its own directory")
    func files() {
        #expect(Self.places.directory("u-1") == "/run/pods/u-1")
        #expect(Self.places.hostsFile("u-1") == "/run/pods/u-1/etc-hosts")
        #expect(Self.places.resolvConf("u-1") == "/run/pods/u-1/resolv.conf")
    }

    @Test("a pod's cgroup is below its class, and a guaranteed one's directly below kubepods")
    func cgroups() {
        let both: [String: Quantity] = ["cpu": .milli(100), "memory": .bytes(1 << 20)]
        #expect(PodPlaces.cgroup(Self.pod()) == "kubepods/besteffort/podu-1")
        #expect(PodPlaces.cgroup(Self.pod(requests: ["cpu": .milli(100)])) == "kubepods/burstable/podu-1")
        #expect(PodPlaces.cgroup(Self.pod(requests: both, limits: both)) == "kubepods/podu-1")
    }

    @Test("the cgroup of an orphan, of which only the UID is known, is looked for in every class")
    func orphan() {
        let orphan = Pod(metadata: ObjectMeta(name: "p", namespace: "ns", uid: "u-1"))
        #expect(
            PodPlaces.cgroups(orphan)
                == ["kubepods/podu-1", "kubepods/burstable/podu-1", "kubepods/besteffort/podu-1"])
        #expect(PodPlaces.cgroups(Self.pod()) == ["kubepods/besteffort/podu-1"])
    }

    @Test(
        "a UID that is more than one harmless path component is not safe",
        arguments: [
            ("0f1e-22", true), ("A.b_c", true), ("...", true), (String(repeating: "a", count: 128), true), ("", false),
            (".", false), ("..", false), ("a/b", false), ("../a", false), ("a\0", false), ("a b", false),
            ("a\n", false), ("\u{e4}", false), (String(repeating: "a", count: 129), false),
        ])
    func safe(uid: String, expected: Bool) {
        #expect(PodPlaces.isSafe(uid: uid) == expected)
    }
}
