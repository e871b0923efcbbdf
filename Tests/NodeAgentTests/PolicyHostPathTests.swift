import KubernetesAPI
import Testing
import Volumes

@testable import NodeAgent

@Suite("Which paths of the host a pod may have")
struct PolicyHostPathTests {
    private static func access(_ path: String, _ entries: [String: HostPathAccess]) -> HostPathAccess? {
        HostPath(path).map {
            var grants = PolicyGrants()
            grants.hostPaths = HostPathGrants(literals: entries)
            return PolicyDecision.access(to: $0, grants, PolicyDecisionTests.protected).access
        }
    }

    @Test(
        "the longest entry decides, and what a mount shows below counts as well",
        arguments: [
            ("/srv", HostPathAccess.readWrite), ("/srv/a/b", .readWrite), ("/srv/logs", .readOnly),
            ("/srv/logs/x", .readOnly), ("/srvs", .none), ("/data", .none), ("/data/public/x", .readOnly),
            // Holds an entry that gives less.
            ("/opt", .none), ("/opt/app", .readWrite), ("/opt/secret/x", .none),
        ])
    func longest(_ path: String, _ expected: HostPathAccess) {
        let entries: [String: HostPathAccess] = [
            "/srv": .readWrite, "/srv/logs": .readOnly, "/data/public": .readOnly, "/opt": .readWrite,
            "/opt/secret": .none,
        ]
        // A mount of /srv for writing would show /srv/logs for writing.
        #expect(Self.access(path, entries) == (path == "/srv" ? .readOnly : expected))
    }

    @Test(
        "protected paths are refused even where everything is allowed",
        arguments: [
            "/", "//", "/proc", "/proc/1", "/proc/sys/kernel", "/sys", "/sys/fs/cgroup", "/var/lib/swiftlet",
            "/var/lib/swiftlet/pods", "/var/lib/swiftlet/", "/./var/lib/swiftlet", "/var/lib", "/var", "/run",
            "/run/swiftlet/swiftlet.sock",
        ])
    func protected(_ path: String) {
        #expect(Self.access(path, ["/": .readWrite]) == HostPathAccess.none)
    }

    @Test(
        "a rule that names it opens the host's and the kernel's paths, for reading, and never the node's own",
        arguments: [
            ("/", HostPathAccess.none), ("/proc", .none), ("/sys", .readOnly), ("/sys/fs/bpf", .readWrite),
            ("/sys/fs", .none), ("/var/lib/swiftlet", .none), ("/var/lib", .none), ("/run/swiftlet", .none),
            ("/var/log/pods", .readOnly), ("/var/log", .readOnly), ("/var/log/journal", .readWrite),
        ])
    func named(_ path: String, _ expected: HostPathAccess) {
        var entries = Dictionary(
            uniqueKeysWithValues: [
                "/", "/proc", "/sys", "/sys/fs/bpf", "/var/lib/swiftlet", "/var/lib", "/run/swiftlet", "/var/log",
                "/var/log/pods",
            ].map { ($0, HostPathAccess.readWrite) })
        // The one way to name these.
        entries["/sys"] = .readOnly
        #expect(Self.access(path, entries) == expected)
    }

    @Test("reading all of the host takes a rule that says so, and shows no more than the rule gives")
    func wholeHost() {
        #expect(Self.access("/", ["/": .readOnly]) == .readOnly)
        #expect(Self.access("/", ["/": .readOnly, "/etc": .none]) == HostPathAccess.none)
        #expect(Self.access("/etc", ["/": .readOnly]) == .readOnly)
    }

    @Test(
        "without a rule data directories are writable, and nothing by which one becomes the host",
        arguments: [
            ("/data", HostPathAccess.readWrite), ("/mnt/disk", .readWrite), ("/srv", .readWrite),
            ("/tmp/x", .readWrite),
            ("/var/lib/postgresql", .readWrite), ("/opt/app", .readWrite), ("/var/log", .readOnly),
            ("/etc/localtime", .readOnly), ("/etc/machine-id", .readOnly), ("/usr/share/zoneinfo", .readOnly),
            ("/lib/modules", .readOnly), ("/etc/ssl/certs", .readOnly), ("/etc", .none), ("/etc/cron.d", .none),
            ("/etc/shadow", .none), ("/root/.ssh", .none), ("/home/user", .none), ("/usr/bin", .none), ("/bin", .none),
            ("/boot", .none), ("/dev", .none), ("/dev/sda", .none), ("/run", .none), ("/run/docker.sock", .none),
            ("/var/run/docker.sock", .none), ("/var/spool/cron", .none), ("/var", .none), ("/proc", .none),
            ("/sys", .none), ("/", .none), ("/var/lib", .none),
        ])
    func standard(_ path: String, _ expected: HostPathAccess) throws {
        let grants = PolicyDecisionTests.standard
        let path = try #require(HostPath(path))
        #expect(PolicyDecision.access(to: path, grants, PolicyDecisionTests.protected).access == expected)
    }

    private static func refusals(
        _ path: String, readOnly: Bool? = nil, leadsTo: String? = nil, _ entries: [String: HostPathAccess]
    ) -> [PolicyRefusal] {
        var grants = PolicyGrants.everything
        grants.hostPaths = HostPathGrants(literals: entries)
        return PolicyDecisionTests.refusals(grants, resolved: leadsTo.map { [path: $0] } ?? [:]) {
            $0.spec.volumes = [Volume(name: "v", hostPath: HostPathVolumeSource(path: path))]
            $0.spec.containers[0].volumeMounts = [VolumeMount(name: "v", readOnly: readOnly, mountPath: "/v")]
        }
    }

    @Test("a path is judged by where it leads, too")
    func links() {
        let entries: [String: HostPathAccess] = ["/srv": .readWrite, "/usr": .none]
        #expect(Self.refusals("/srv/x", leadsTo: "/srv/y", entries).isEmpty)
        let refused = Self.refusals("/srv/x", leadsTo: "/usr/bin", entries)
        #expect(refused.map(\.value) == ["\"/srv/x\""])
        #expect(refused.first?.reason.contains("leads to /usr/bin") == true)
        #expect(!Self.refusals("/srv/x", leadsTo: "/var/lib/swiftlet/pods", ["/": .readWrite]).isEmpty)
        #expect(!Self.refusals("/srv/x", leadsTo: "/", ["/": .readWrite]).isEmpty)
    }

    @Test("what may only be read has to be mounted so by every container")
    func readOnly() {
        #expect(Self.refusals("/srv", readOnly: true, ["/srv": .readOnly]).isEmpty)
        let refused = Self.refusals("/srv", ["/srv": .readOnly])
        #expect(refused.first?.reason.contains("mount it with readOnly: true") == true)
        #expect(refused.first?.remedy == "hostPaths: {/srv: readWrite}")
        #expect(!Self.refusals("/srv", readOnly: false, ["/srv": .readOnly]).isEmpty)
        // No rule can help there.
        #expect(Self.refusals("/var/lib/swiftlet", readOnly: true, ["/": .readWrite]).first?.remedy == "")
    }

    @Test("paths with .. are refused", arguments: ["/srv/../etc", "/..", "srv", ""])
    func unclean(_ path: String) {
        #expect(Self.refusals(path, ["/": .readWrite]).map(\.field) == ["spec.volumes[0].hostPath.path"])
    }
}
