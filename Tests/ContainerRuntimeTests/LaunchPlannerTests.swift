import ContainerRuntime
import LinuxKernel
import MonitorCore
import Testing

struct LaunchPlannerTests {
    private static let places = LaunchPlanner.Places(root: "/run/root", upper: "/run/upper", work: "/run/work")
    private static let cgroup = LaunchPlanner.CgroupFacts(
        joinPoints: CgroupJoinPoints(v2Directory: "/cg/unified", v1TasksFiles: ["/cg/cpu/tasks", "/cg/memory/tasks"]),
        outOfMemoryEventsFile: "/cg/events", v1Controllers: ["cpu", "memory"])

    private static func sandbox(hostNetwork: Bool = false, sysctls: [String: String] = [:]) -> PodSandbox {
        PodSandbox(
            id: "s", podUID: "u", podNamespace: "ns", podName: "p", attempt: 0, hostname: "p",
            hostNetwork: hostNetwork, sysctls: sysctls, directory: "/run/s")
    }

    private static func config(_ change: (inout ContainerConfig) -> Void = { _ in }) -> ContainerConfig {
        var config = ContainerConfig(
            sandboxID: "s",
            metadata: ContainerMetadata(podUID: "u", podNamespace: "ns", podName: "p", name: "c", attempt: 0),
            arguments: ["/bin/sh", "-c", "true"], workingDirectory: "/work", userID: 1000, groupID: 1001,
            resourceLimits: [ResourceLimit(resource: 7, soft: 10, hard: 20)], cgroupPath: "c", logPath: "/log/0.log")
        change(&config)
        return config
    }

    private static func plan(
        _ config: ContainerConfig = config(), sandbox: PodSandbox = sandbox(), seccomp: [UInt8]? = [1, 2]
    ) throws -> LaunchPlan {
        try LaunchPlanner.plan(config, sandbox: sandbox, places: places, cgroup: cgroup, seccomp: seccomp)
    }

    /// The name of a step's case.
    private static func kind(_ step: LaunchStep) -> String { String("\(step)".prefix { $0 != "(" }) }

    private static func kinds(_ plan: LaunchPlan) -> [String] { plan.steps.map(kind) }

    private static func text(_ string: CString) -> String { String(decoding: string.text, as: UTF8.self) }

    /// Every step of the first kind comes before every step of the second, and both exist.
    private static func isOrdered(_ first: String, _ second: String, in kinds: [String]) -> Bool {
        guard let end = kinds.lastIndex(of: first), let start = kinds.firstIndex(of: second) else { return false }
        return end < start
    }

    @Test(
        "each protection comes before what could escape it",
        arguments: [
            ("joinCgroup", "enterNamespace"), ("enterNamespace", "unshare"), ("unshare", "setPropagation"),
            ("setPropagation", "mountOverlayRoot"), ("mountOverlayRoot", "mount"), ("mount", "writeSysctl"),
            ("bind", "writeSysctl"), ("writeSysctl", "maskPath"), ("maskPath", "readOnlyPath"),
            ("readOnlyPath", "makeDirectory"), ("makeDirectory", "pivotRoot"), ("pivotRoot", "makeRootReadOnly"),
            ("makeRootReadOnly", "resourceLimit"), ("resourceLimit", "awaitRelease"),
            ("awaitRelease", "boundingCapabilities"), ("boundingCapabilities", "supplementaryGroups"),
            ("supplementaryGroups", "groupID"), ("groupID", "userID"), ("userID", "capabilities"),
            ("capabilities", "parentDeathSignal"), ("parentDeathSignal", "workingDirectory"),
            ("workingDirectory", "closeDescriptors"), ("closeDescriptors", "execute"),
        ])
    func order(first: String, second: String) throws {
        let config = Self.config { config in
            config.readOnlyRoot = true
            config.mounts = [ContainerMount(hostPath: "/h", containerPath: "/data")]
        }
        let kinds = Self.kinds(try Self.plan(config, sandbox: Self.sandbox(sysctls: ["net.ipv4.ip_forward": "1"])))
        #expect(Self.isOrdered(first, second, in: kinds), "\(kinds)")
        #expect(kinds.last == "execute")
        #expect(kinds.filter { $0 == "execute" }.count == 1)
    }

    @Test("the filter is last with no-new-privileges, and before the change of user without", arguments: [true, false])
    func seccompOrder(noNewPrivileges: Bool) throws {
        let kinds = Self.kinds(try Self.plan(Self.config { $0.noNewPrivileges = noNewPrivileges }))
        #expect(kinds.contains("noNewPrivileges") == noNewPrivileges)
        #expect(kinds.filter { $0 == "seccompFilter" }.count == 1)
        if noNewPrivileges {
            #expect(Array(kinds.suffix(4)) == ["closeDescriptors", "noNewPrivileges", "seccompFilter", "execute"])
        } else {
            #expect(Self.isOrdered("seccompFilter", "userID", in: kinds))
            #expect(Self.isOrdered("awaitRelease", "seccompFilter", in: kinds))
        }
    }

    @Test("without a filter none is installed", arguments: [true, false])
    func unconfined(noNewPrivileges: Bool) throws {
        let kinds = Self.kinds(try Self.plan(Self.config { $0.noNewPrivileges = noNewPrivileges }, seccomp: nil))
        #expect(!kinds.contains("seccompFilter"))
        #expect(kinds.last == "execute")
    }

    @Test("a plan names the cgroup, the log and the file that tells of exhausted memory")
    func places() throws {
        let plan = try Self.plan()
        #expect(plan.cgroupDirectory == CString(terminated: "/cg/unified"))
        #expect(plan.logFile == CString(terminated: "/log/0.log"))
        #expect(plan.outOfMemoryEventsFile == CString(terminated: "/cg/events"))
        #expect(plan.outOfMemoryEventControlFile == nil)
        #expect(plan.cloneFlags == 0x2002_0000, "a new mount and a new pid namespace")
        #expect(
            plan.steps.prefix(2) == [
                .joinCgroup(tasksFile: CString(terminated: "/cg/cpu/tasks")),
                .joinCgroup(tasksFile: CString(terminated: "/cg/memory/tasks")),
            ])
    }

    @Test(
        "a container joins its sandbox's namespaces, and no network of its own with the host's",
        arguments: [(false, ["/run/s/net", "/run/s/ipc", "/run/s/uts"]), (true, ["/run/s/ipc"])])
    func namespaces(hostNetwork: Bool, expected: [String]) throws {
        let plan = try Self.plan(sandbox: Self.sandbox(hostNetwork: hostNetwork))
        let paths = plan.steps.compactMap { step -> String? in
            guard case .enterNamespace(let path, _) = step else { return nil }
            return Self.text(path)
        }
        #expect(paths == expected)
    }

    @Test("only a read-only root is made read-only", arguments: [true, false])
    func readOnlyRoot(readOnly: Bool) throws {
        let kinds = Self.kinds(try Self.plan(Self.config { $0.readOnlyRoot = readOnly }))
        #expect(kinds.contains("makeRootReadOnly") == readOnly)
    }

    @Test(
        "a privileged container sees all of /proc and has every capability; another does not", arguments: [true, false])
    func privileged(privileged: Bool) throws {
        let plan = try Self.plan(Self.config { $0.privileged = privileged })
        let masked = plan.steps.filter { Self.kind($0) == "maskPath" }.count
        #expect(masked == (privileged ? 0 : LaunchPlanner.maskedPaths.count))
        let readOnly = plan.steps.filter { Self.kind($0) == "readOnlyPath" }.count
        #expect(readOnly == (privileged ? 0 : LaunchPlanner.readOnlyPaths.count))
        let mask = (privileged ? CapabilitySet.all : .containerDefault).mask
        #expect(plan.steps.contains(.boundingCapabilities(mask)))
        #expect(plan.steps.contains(.capabilities(effective: mask, permitted: mask, inheritable: 0)))
    }

    @Test("volumes are bound parents first, each with its own flags, after /dev and /sys")
    func mounts() throws {
        let plan = try Self.plan(
            Self.config { config in
                config.mounts = [
                    ContainerMount(hostPath: "/h/2", containerPath: "/a/b/c", readOnly: true),
                    ContainerMount(hostPath: "/h/3", containerPath: "/z", isFile: true, propagation: .bidirectional),
                    ContainerMount(hostPath: "/h/1", containerPath: "/a", propagation: .hostToContainer),
                ]
            })
        let binds = plan.steps.compactMap { step -> BindMount? in
            guard case .bind(let bind) = step else { return nil }
            return bind
        }
        #expect(binds.map { Self.text($0.target) } == ["/dev/shm", "/a", "/z", "/a/b/c"])
        #expect(binds.dropFirst().map(\.attributes) == [0, 0, 1])
        #expect(binds.dropFirst().map(\.kind) == [.directory, .file, .directory])
        // MS_SLAVE, MS_SHARED, MS_PRIVATE.
        #expect(binds.dropFirst().map(\.propagation) == [1 << 19, 1 << 20, 1 << 18])
        let checked = try Self.plan(
            Self.config { $0.mounts = [ContainerMount(hostPath: "/h", containerPath: "/c", forbidsLinks: true)] })
        #expect(Self.kinds(checked).count { $0 == "bindWithoutLinks" } == 1)
        let kinds = Self.kinds(plan)
        #expect((kinds.lastIndex(of: "mount") ?? .max) < (kinds.lastIndex(of: "bind") ?? 0))
    }

    @Test(
        "a program without a slash is looked for in the PATH that counts",
        arguments: [
            (["/bin/sh"], [], ["/bin/sh"]), (["./run"], ["PATH=/a"], ["./run"]),
            (["run"], ["PATH=/a:/b/c"], ["/a/run", "/b/c/run"]),
            (["run"], ["PATH=/a", "PATH=/b"], ["/b/run"]),
            (
                ["run"], ["XPATH=/a"],
                [
                    "/usr/local/sbin/run", "/usr/local/bin/run", "/usr/sbin/run", "/usr/bin/run", "/sbin/run",
                    "/bin/run",
                ]
            ),
        ] as [([String], [String], [String])])
    func candidates(arguments: [String], environment: [String], expected: [String]) throws {
        let plan = try Self.plan(
            Self.config { config in
                config.arguments = arguments
                config.environment = environment
            })
        guard case .execute(let candidates, let passed, let variables) = plan.steps.last else {
            Issue.record("the last step is no execve")
            return
        }
        #expect(candidates.map(Self.text) == expected)
        #expect(passed.map(Self.text) == arguments)
        #expect(variables.map(Self.text) == environment)
    }

    @Test("no command is refused", arguments: [[], [""]] as [[String]])
    func noCommand(arguments: [String]) {
        let error = #expect(throws: RuntimeError.self) { try Self.plan(Self.config { $0.arguments = arguments }) }
        #expect(error?.code == .invalidConfiguration)
    }

    /// Each puts a NUL where a text goes to the kernel.
    private enum Poison: CaseIterable {
        case program, argument, environment, workingDirectory, mount, log, layer, sysctl

        func apply(_ config: inout ContainerConfig) {
            switch self {
            case .program: config.arguments = ["/bin/sh\0x"]
            case .argument: config.arguments.append("a\0b")
            case .environment: config.environment = ["A=\0"]
            case .workingDirectory: config.workingDirectory = "/a\0"
            case .mount: config.mounts = [ContainerMount(hostPath: "/h", containerPath: "/c\0/../..")]
            case .log: config.logPath = "/log\0"
            case .layer: config.rootLayers = ["/layer\0"]
            case .sysctl: break
            }
        }
    }

    @Test("a NUL byte in any text is refused, as the kernel would cut it there", arguments: Poison.allCases)
    private func interiorNUL(poison: Poison) {
        let sandbox = Self.sandbox(sysctls: poison == .sysctl ? ["a.b": "1\0"] : [:])
        let error = #expect(throws: RuntimeError.self) {
            try Self.plan(Self.config(poison.apply), sandbox: sandbox)
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("NUL") == true)
    }

    @Test("a sysctl is written below /proc/sys, a directory for each dot")
    func sysctls() throws {
        let plan = try Self.plan(
            sandbox: Self.sandbox(sysctls: ["net.core.somaxconn": "9", "kernel.shm_rmid_forced": "1"]))
        let written = plan.steps.filter { Self.kind($0) == "writeSysctl" }
        #expect(
            written == [
                .writeSysctl(
                    path: CString(terminated: "/proc/sys/kernel/shm_rmid_forced"), value: CString(terminated: "1")),
                .writeSysctl(
                    path: CString(terminated: "/proc/sys/net/core/somaxconn"), value: CString(terminated: "9")),
            ])
    }

    @Test("the same configuration gives the same plan, which survives the wire")
    func deterministic() throws {
        let plan = try Self.plan()
        #expect(try Self.plan() == plan)
        #expect(try LaunchPlan(decoding: plan.encoded()) == plan)
    }

    @Test(
        "a command in a container gets its init's credentials and filter, and mounts nothing", arguments: [true, false])
    func execution(noNewPrivileges: Bool) throws {
        let config = Self.config { $0.noNewPrivileges = noNewPrivileges }
        let plan = try LaunchPlanner.planExecution(
            of: ["ls", "/"], in: config, sandbox: Self.sandbox(), cgroup: Self.cgroup, seccomp: [1, 2])
        #expect(plan.cgroupDirectory == CString(terminated: "/cg/unified"))
        #expect(plan.logFile == nil)
        let kinds = Self.kinds(plan)
        #expect(
            Array(kinds.prefix(6)) == [
                "joinCgroup", "joinCgroup", "outOfMemoryScore", "enterContainerNamespaces", "resourceLimit",
                "boundingCapabilities",
            ])
        #expect(Set(kinds).isDisjoint(with: ["mount", "bind", "mountOverlayRoot", "pivotRoot", "awaitRelease"]))
        let launch = try Self.plan(config)
        let credentials = launch.steps.drop { Self.kind($0) != "boundingCapabilities" }
        #expect(
            Array(plan.steps.drop { Self.kind($0) != "boundingCapabilities" }.dropLast())
                == Array(credentials.dropLast()))
        guard case .execute(_, let arguments, _) = plan.steps.last else {
            Issue.record("the last step is no execve")
            return
        }
        #expect(arguments.map(Self.text) == ["ls", "/"])
    }

    @Test(
        "a command joins the network and host name of its container unless they are the host's",
        arguments: [(false, UInt32(0x4E02_0000)), (true, UInt32(0x0A02_0000))])
    func executionNamespaces(hostNetwork: Bool, types: UInt32) throws {
        // CLONE_NEWNS, NEWCGROUP and NEWIPC, and with a network of its own NEWNET and NEWUTS.
        let plan = try LaunchPlanner.planExecution(
            of: ["/bin/ls"], in: Self.config(), sandbox: Self.sandbox(hostNetwork: hostNetwork), cgroup: Self.cgroup,
            seccomp: nil)
        #expect(plan.steps.contains(.enterContainerNamespaces(types: types)))
    }
}
