import ContainerRuntime
import LinuxKernel
import MonitorCore
import Testing

struct LaunchPlannerUserNamespaceTests {
    private static let cgroup = LaunchPlanner.CgroupFacts(
        joinPoints: CgroupJoinPoints(v2Directory: "/cg/unified", v1TasksFiles: ["/cg/cpu/tasks"]),
        v1Controllers: ["cpu"])

    private static func sandbox(_ processNamespace: ProcessNamespace = .container) throws -> PodSandbox {
        PodSandbox(
            id: "s", podUID: "u", podNamespace: "ns", podName: "p", attempt: 0, hostname: "p", hostNetwork: false,
            processNamespace: processNamespace, ids: IDRange(first: 131_072, count: 65_536),
            directory: "/run/s")
    }

    private static func config(_ change: (inout ContainerConfig) -> Void = { _ in }) -> ContainerConfig {
        var config = ContainerConfig(
            sandboxID: "s",
            metadata: ContainerMetadata(podUID: "u", podNamespace: "ns", podName: "p", name: "c", attempt: 0),
            rootLayers: ["/l/2", "/l/1"], arguments: ["/bin/true"], userID: 1000, groupID: 1001,
            mounts: [
                ContainerMount(hostPath: "/h/2", containerPath: "/b/c", readOnly: true),
                ContainerMount(hostPath: "/h/1", containerPath: "/b", hasPodIDs: true),
            ],
            readOnlyRoot: true, resourceLimits: [ResourceLimit(resource: 7, soft: 10, hard: 20)], cgroupPath: "c",
            logPath: "/log/0.log")
        change(&config)
        return config
    }

    private static func plan(
        _ config: ContainerConfig = config(), processNamespace: ProcessNamespace = .container
    ) throws -> LaunchPlan {
        try LaunchPlanner.plan(
            config, sandbox: sandbox(processNamespace),
            places: LaunchPlanner.Places(root: "/run/root", upper: "/run/upper", work: "/run/work"), cgroup: cgroup,
            seccomp: [1, 2])
    }

    private static func kinds(_ plan: LaunchPlan) -> [String] {
        plan.steps.map { String("\($0)".prefix { $0 != "(" }) }
    }

    private static func text(_ string: CString) -> String { String(decoding: string.text, as: UTF8.self) }

    @Test(
        "what needs the host's rights comes before the namespaces, what needs the pod's ids after them",
        arguments: [
            ("joinCgroup", "enterNamespace"), ("outOfMemoryScore", "enterNamespace"),
            ("setPropagation", "openOverlayRoot"), ("openUserNamespace", "openOverlayRoot"),
            ("openUserNamespace", "openBind"), ("openOverlayRoot", "enterNamespace"),
            ("openBind", "enterNamespace"), ("ownStandardStreams", "enterNamespace"),
            ("resourceLimit", "enterNamespace"), ("enterNamespace", "unshare"), ("unshare", "becomeInit"),
            ("becomeInit", "attachRoot"), ("becomeInit", "mount"), ("attachRoot", "mount"),
            ("attachRoot", "bindDevice"), ("mount", "maskPath"), ("attachBind", "maskPath"),
            ("maskPath", "readOnlyPath"), ("readOnlyPath", "pivotRoot"),
            ("pivotRoot", "makeRootReadOnly"), ("makeRootReadOnly", "awaitRelease"),
            ("awaitRelease", "boundingCapabilities"), ("closeDescriptors", "execute"),
        ])
    func order(first: String, second: String) throws {
        let kinds = Self.kinds(try Self.plan())
        let end = try #require(kinds.lastIndex(of: first))
        let start = try #require(kinds.firstIndex(of: second))
        #expect(end < start, "\(kinds)")
    }

    @Test("the user namespace is entered first, the others after it, and no pid namespace is cloned from the host's")
    func namespaces() throws {
        let plan = try Self.plan()
        let entered = plan.steps.compactMap { step -> String? in
            if case .enterNamespace(let path, _) = step { Self.text(path) } else { nil }
        }
        #expect(entered == ["/run/s/user", "/run/s/net", "/run/s/ipc", "/run/s/uts"])
        #expect(plan.cloneFlags == 0x2_0000, "a mount namespace to prepare in")
        // CLONE_NEWNS | CLONE_NEWCGROUP.
        #expect(plan.steps.contains(.unshare(flags: 0x2_0000 | 0x200_0000)))
    }

    @Test("the process becomes the pod's root before it makes anything, and the container's user at the end")
    func identity() throws {
        let plan = try Self.plan()
        let attach = try #require(plan.steps.firstIndex(of: .attachRoot(target: CString(terminated: "/run/root"))))
        #expect(
            plan.steps[(attach + 1)...].prefix(3) == [.supplementaryGroups([]), .groupID(0), .userID(0)])
        let users = plan.steps.compactMap { step -> UInt32? in
            if case .userID(let user) = step { user } else { nil }
        }
        #expect(users == [0, 1000])
        #expect(plan.steps.contains(.ownStandardStreams(userID: 132_072)), "the host's id of 1000")
    }

    @Test("binds are opened in the order in which they are attached; only what has host ids is mapped")
    func binds() throws {
        let plan = try Self.plan()
        var opened: [(target: String, mapsIDs: Bool)] = []
        for case .openBind(let bind, _, let mapsIDs) in plan.steps { opened.append((Self.text(bind.target), mapsIDs)) }
        #expect(opened.map(\.target) == ["/dev/shm", "/b", "/b/c"])
        #expect(opened.map(\.mapsIDs) == [false, false, true])
        let kinds = Self.kinds(plan)
        #expect(kinds.filter { $0 == "attachBind" }.count == 3)
        #expect(!kinds.contains("bind"))
    }

    @Test("devices are the host's: nobody inside can make one")
    func devices() throws {
        let plan = try Self.plan()
        let devices = plan.steps.compactMap { step -> String? in
            if case .bindDevice(let path, _, _) = step { Self.text(path) } else { nil }
        }
        #expect(devices == ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"])
        #expect(!Self.kinds(plan).contains("deviceNode"))
    }

    @Test("a container that joins another's PID namespace makes none")
    func target() throws {
        let plan = try Self.plan(Self.config { $0.targetContainerID = "other" })
        #expect(!Self.kinds(plan).contains("becomeInit"))
        #expect(plan.joinsPIDNamespace)
        #expect(plan.cloneFlags == 0x2_0000)
    }

    @Test("a user that the namespace does not have is refused", arguments: [65_536, .max] as [UInt32])
    func unmappedUser(user: UInt32) {
        let error = #expect(throws: RuntimeError.self) { try Self.plan(Self.config { $0.userID = user }) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("user \(user)") == true)
    }

    @Test("mounts made inside never travel to the host")
    func bidirectional() {
        let error = #expect(throws: RuntimeError.self) {
            try Self.plan(Self.config { $0.mounts[0].propagation = .bidirectional })
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("the process that holds a shared PID namespace is its init, in the user namespace, with nothing to map")
    func sandboxProcess() throws {
        let plan = try Self.plan(
            Self.config { config in
                config.isSandboxProcess = true
                config.userID = 65_535
            }, processNamespace: .pod)
        #expect(Self.kinds(plan).contains("becomeInit"))
        #expect(!plan.joinsPIDNamespace)
        for case .openBind(_, _, let mapsIDs) in plan.steps { #expect(!mapsIDs) }
        let joining = try Self.plan(processNamespace: .pod)
        #expect(joining.joinsPIDNamespace)
        #expect(!Self.kinds(joining).contains("becomeInit"))
    }

    @Test("an exec enters the user namespace too, with its limits set before")
    func execution() throws {
        let plan = try LaunchPlanner.planExecution(
            of: ["/bin/id"], in: Self.config(), sandbox: Self.sandbox(), cgroup: Self.cgroup, seccomp: nil)
        // NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWNET.
        let types: UInt32 = 0x2_0000 | 0x200_0000 | 0x400_0000 | 0x800_0000 | 0x1000_0000 | 0x4000_0000
        let entry = try #require(plan.steps.firstIndex(of: .enterContainerNamespaces(types: types)))
        let limit = try #require(plan.steps.firstIndex(of: .resourceLimit(resource: 7, soft: 10, hard: 20)))
        #expect(limit < entry)
    }

    @Test("a failed bind names its place and, when the file system cannot map ids, says so")
    func failures() throws {
        let plan = try Self.plan()
        let open = try #require(
            plan.steps.lastIndex { if case .openBind = $0 { true } else { false } })
        let words = LaunchFailure(step: UInt32(open), errno: 22).message(in: plan)
        #expect(words.contains("\"/h/2\" at \"/b/c\": its file system cannot map ids"))
        let attach = try #require(plan.steps.lastIndex(of: .attachBind))
        #expect(LaunchFailure(step: UInt32(attach), errno: 2).message(in: plan).contains("\"/b/c\""))
    }
}
