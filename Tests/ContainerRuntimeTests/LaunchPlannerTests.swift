import ContainerRuntime
import LinuxKernel
import MonitorCore
import Testing

struct LaunchPlannerTests {
    private static let places = LaunchPlanner.Places(root: "/run/root", upper: "/run/upper", work: "/run/work")
    private static let cgroup = LaunchPlanner.CgroupFacts(
        joinPoints: CgroupJoinPoints(v2Directory: "/cg/unified", v1TasksFiles: ["/cg/cpu/tasks", "/cg/memory/tasks"]),
        outOfMemoryEventsFile: "/cg/events", v1Controllers: ["cpu", "memory"])

    private static func sandbox(
        hostNetwork: Bool = false, hostIPC: Bool = false, processes: ProcessNamespace = .container
    ) -> PodSandbox {
        PodSandbox(
            id: "s", podUID: "u", podNamespace: "ns", podName: "p", attempt: 0, hostname: "p",
            hostNetwork: hostNetwork, hostIPC: hostIPC, processNamespace: processes, directory: "/run/s")
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
        _ config: ContainerConfig = config(), sandbox: PodSandbox = sandbox(), host: HostFacts = HostFacts(),
        seccomp: [UInt8]? = [1, 2]
    ) throws -> LaunchPlan {
        try LaunchPlanner.plan(config, sandbox: sandbox, places: places, cgroup: cgroup, host: host, seccomp: seccomp)
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

    @Test("a profile is asked for before any filter, once, by init as by a command inside", arguments: [true, false])
    func appArmorProfile(noNewPrivileges: Bool) throws {
        let config = Self.config {
            $0.noNewPrivileges = noNewPrivileges
            $0.appArmorProfile = "some profile"
        }
        let execution = try LaunchPlanner.planExecution(
            of: ["true"], in: config, sandbox: Self.sandbox(), cgroup: Self.cgroup, seccomp: [1, 2])
        for plan in [try Self.plan(config), execution] {
            let kinds = Self.kinds(plan)
            #expect(kinds.count { $0 == "appArmorProfile" } == 1)
            let after = try #require(kinds.firstIndex(of: "appArmorProfile")) + 1
            #expect(Array(kinds[after...].prefix(1)) == [noNewPrivileges ? "noNewPrivileges" : "seccompFilter"])
            #expect(plan.steps.contains(.appArmorProfile(CString(terminated: "some profile"))))
        }
        #expect(!Self.kinds(try Self.plan()).contains("appArmorProfile"))
        #expect(Self.kinds(try Self.plan(config, seccomp: nil)).contains("appArmorProfile"), "also without a filter")
    }

    @Test(
        "each protection comes before what could escape it",
        arguments: [
            ("joinCgroup", "enterNamespace"), ("enterNamespace", "unshare"), ("unshare", "setPropagation"),
            ("setPropagation", "mountOverlayRoot"), ("mountOverlayRoot", "mount"), ("mount", "maskPath"),
            ("bind", "maskPath"), ("maskPath", "readOnlyPath"),
            ("readOnlyPath", "makeDirectory"), ("makeDirectory", "pivotRoot"), ("pivotRoot", "makeRootReadOnly"),
            ("makeRootReadOnly", "resourceLimit"), ("resourceLimit", "awaitRelease"),
            ("awaitRelease", "boundingCapabilities"), ("boundingCapabilities", "supplementaryGroups"),
            ("supplementaryGroups", "groupID"), ("groupID", "userID"), ("userID", "closeDescriptors"),
            ("closeDescriptors", "workingDirectory"), ("workingDirectory", "parentDeathSignal"),
            ("capabilities", "parentDeathSignal"), ("parentDeathSignal", "execute"),
        ])
    func order(first: String, second: String) throws {
        let config = Self.config { config in
            config.readOnlyRoot = true
            config.mounts = [ContainerMount(hostPath: "/h", containerPath: "/data")]
        }
        let kinds = Self.kinds(try Self.plan(config))
        #expect(Self.isOrdered(first, second, in: kinds), "\(kinds)")
        #expect(kinds.last == "execute")
        #expect(kinds.filter { $0 == "execute" }.count == 1)
    }

    @Test("a terminal is made as the container's user, before what is ours is closed; a command's own too")
    func terminal() throws {
        let config = Self.config { $0.isTerminal = true }
        let command = try LaunchPlanner.planExecution(
            of: ["sh"], in: Self.config(), sandbox: Self.sandbox(), cgroup: Self.cgroup, seccomp: nil, isTerminal: true)
        for plan in [try Self.plan(config), command] {
            let kinds = Self.kinds(plan)
            #expect(kinds.count { $0 == "openTerminal" } == 1 && !kinds.contains("keepInput"))
            #expect(Self.isOrdered("userID", "openTerminal", in: kinds))
            #expect(Self.isOrdered("openTerminal", "closeDescriptors", in: kinds))
            guard case .execute(_, _, let environment)? = plan.steps.last else {
                Issue.record("no execute last")
                continue
            }
            #expect(environment.map(Self.text).contains("TERM=xterm"))
        }
    }

    @Test("a command without a terminal has none, whatever its container has, and keeps no input")
    func commandStreams() throws {
        let config = Self.config {
            $0.isTerminal = true
            $0.keepsInput = true
        }
        let plan = try LaunchPlanner.planExecution(
            of: ["true"], in: config, sandbox: Self.sandbox(), cgroup: Self.cgroup, seccomp: nil)
        #expect(!Self.kinds(plan).contains("openTerminal") && !Self.kinds(plan).contains("keepInput"))
        #expect(Self.kinds(try Self.plan(Self.config { $0.keepsInput = true })).contains("keepInput"))
    }

    @Test("the filter is last with no-new-privileges, and before the change of user without", arguments: [true, false])
    func seccompOrder(noNewPrivileges: Bool) throws {
        let kinds = Self.kinds(try Self.plan(Self.config { $0.noNewPrivileges = noNewPrivileges }))
        #expect(kinds.contains("noNewPrivileges") == noNewPrivileges)
        #expect(kinds.filter { $0 == "seccompFilter" }.count == 1)
        if noNewPrivileges {
            #expect(Array(kinds.suffix(4)) == ["parentDeathSignal", "noNewPrivileges", "seccompFilter", "execute"])
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
        arguments: [
            (false, false, ["/run/s/net", "/run/s/ipc", "/run/s/uts"]), (true, false, ["/run/s/ipc"]),
            (false, true, ["/run/s/net", "/run/s/uts"]), (true, true, []),
        ])
    func namespaces(hostNetwork: Bool, hostIPC: Bool, expected: [String]) throws {
        let plan = try Self.plan(sandbox: Self.sandbox(hostNetwork: hostNetwork, hostIPC: hostIPC))
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
    }

    @Test("paths that this machine has to hide are hidden, too; with procMount Unmasked nothing is")
    func masks() throws {
        let host = HostFacts(maskedPaths: ["/sys/devices/system/cpu/cpu0/thermal_throttle"])
        let hidden = { (plan: LaunchPlan) in
            plan.steps.compactMap { step -> String? in
                guard case .maskPath(let path) = step else { return nil }
                return Self.text(path)
            }
        }
        // The list of Kubernetes' default procMount.
        let expected = [
            "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
            "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
            "/sys/devices/virtual/powercap", "/sys/devices/system/cpu/cpu0/thermal_throttle",
        ]
        #expect(hidden(try Self.plan(host: host)) == expected)
        let unmasked = try Self.plan(Self.config { $0.isProcUnmasked = true }, host: host)
        #expect(hidden(unmasked) == [])
        #expect(!Self.kinds(unmasked).contains("readOnlyPath"))
    }

    @Test("root has the capabilities it was given, another user none but in its bounding set", arguments: [0, 1000])
    func capabilities(user: UInt32) throws {
        let given = CapabilitySet([.KILL, .CHOWN]).mask
        for directory in ["/", "/work"] {
            let plan = try Self.plan(
                Self.config { config in
                    (config.userID, config.workingDirectory) = (user, directory)
                    config.capabilities = CapabilitySet(mask: given)
                })
            #expect(plan.steps.contains(.boundingCapabilities(given)))
            let sets = plan.steps.filter { Self.kind($0) == "capabilities" }
            let held = user == 0 ? given : 0
            #expect(sets.last == .capabilities(effective: held, permitted: held, inheritable: 0))
            // Only to enter a directory that may be closed to the user: CAP_DAC_OVERRIDE is number 1.
            let search: [LaunchStep] = [.capabilities(effective: 2, permitted: given | 2, inheritable: 0)]
            #expect(Array(sets.dropLast()) == (directory == "/" ? [] : search))
        }
    }

    @Test("a privileged container finds the host's devices in its /dev, with their owners")
    func devices() throws {
        let host = HostFacts(devices: [
            HostFacts.Device(path: "/dev/null", mode: 0o020666, major: 1, minor: 3),
            HostFacts.Device(path: "/dev/mapper/a", mode: 0o060660, major: 253, minor: 0, userID: 0, groupID: 6),
        ])
        let node = LaunchStep.deviceNode(
            path: CString(terminated: "/dev/mapper/a"), mode: 0o060660, major: 253, minor: 0)
        let owner = LaunchStep.changeOwner(path: CString(terminated: "/dev/mapper/a"), user: 0, group: 6)
        let privileged = try Self.plan(Self.config { $0.privileged = true }, host: host)
        #expect(privileged.steps.contains(node))
        #expect(privileged.steps.contains(owner))
        #expect(privileged.steps.filter { Self.kind($0) == "deviceNode" }.count == 7, "/dev/null is made once")
        let other = try Self.plan(host: host)
        #expect(!other.steps.contains(node))
        #expect(other.steps.filter { Self.kind($0) == "deviceNode" }.count == 6)
    }

    @Test(
        "processes are the container's own, the pod's or the host's",
        arguments: [
            (ProcessNamespace.container, UInt64(0x2002_0000), false), (.pod, 0x0002_0000, true),
            (.host, 0x0002_0000, false),
        ])
    func processes(namespace: ProcessNamespace, cloneFlags: UInt64, joins: Bool) throws {
        let plan = try Self.plan(sandbox: Self.sandbox(processes: namespace))
        #expect(plan.cloneFlags == cloneFlags)
        #expect(plan.joinsPIDNamespace == joins)
    }

    @Test("the process that holds a pod's PID namespace has one of its own, and nothing but its program and /proc")
    func sandboxProcess() throws {
        let config = Self.config { config in
            config.isSandboxProcess = true
            config.arguments = ["/pause"]
            config.logPath = ""
            config.workingDirectory = "/"
            config.capabilities = CapabilitySet(mask: 0)
            (config.noNewPrivileges, config.readOnlyRoot) = (true, true)
            config.mounts = [
                ContainerMount(hostPath: "/bin/m", containerPath: "/pause", isFile: true, readOnly: true)
            ]
        }
        let plan = try Self.plan(config, sandbox: Self.sandbox(processes: .pod))
        #expect(plan.cloneFlags == 0x2002_0000)
        #expect(!plan.joinsPIDNamespace)
        #expect(plan.logFile == nil)
        let kinds = Self.kinds(plan)
        #expect(Set(kinds).isDisjoint(with: ["deviceNode", "maskPath"]))
        let mounts = plan.steps.compactMap { step -> (String, String)? in
            if case .mount(let type, let target, _, _) = step { (Self.text(type), Self.text(target)) } else { nil }
        }
        #expect(mounts.map(\.0) == ["proc"] && mounts.map(\.1) == ["/proc"])
        #expect(kinds.filter { $0 == "bind" }.count == 1)
        #expect(kinds.filter { $0 == "enterNamespace" }.count == 3)
        #expect(kinds.contains("pivotRoot") && kinds.contains("makeRootReadOnly") && kinds.contains("seccompFilter"))
        #expect(plan.steps.contains(.boundingCapabilities(0)))
    }

    @Test("a read-only mount is so with all below it, or alone when the pod says so")
    func readOnlyBelow() throws {
        let plan = try Self.plan(
            Self.config { config in
                config.mounts = [
                    ContainerMount(hostPath: "/h/1", containerPath: "/a", readOnly: true),
                    ContainerMount(hostPath: "/h/2", containerPath: "/b", readOnly: true, readOnlyBelow: false),
                    ContainerMount(hostPath: "/h/3", containerPath: "/c", readOnlyBelow: false),
                ]
            })
        let binds = plan.steps.compactMap { step -> [UInt64]? in
            guard case .bind(let bind) = step, Self.text(bind.source).hasPrefix("/h") else { return nil }
            return [bind.attributes, bind.topAttributes]
        }
        #expect(binds == [[1, 0], [0, 1], [0, 0]])
    }

    @Test("mounts are taken hold of while they are shared only where they travel both ways")
    func sharedSources() throws {
        let plan = try Self.plan(
            Self.config { config in
                config.mounts = [
                    ContainerMount(hostPath: "/h/1", containerPath: "/a", propagation: .hostToContainer),
                    ContainerMount(hostPath: "/h/2", containerPath: "/b", propagation: .bidirectional),
                ]
            })
        let shared = LaunchStep.shareSource(CString(terminated: "/h/2"), forbidsLinks: false)
        #expect(plan.steps.filter { Self.kind($0) == "shareSource" } == [shared])
        #expect(Self.isOrdered("shareSource", "setPropagation", in: Self.kinds(plan)))
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
        case program, argument, environment, workingDirectory, mount, log, layer

        func apply(_ config: inout ContainerConfig) {
            switch self {
            case .program: config.arguments = ["/bin/sh\0x"]
            case .argument: config.arguments.append("a\0b")
            case .environment: config.environment = ["A=\0"]
            case .workingDirectory: config.workingDirectory = "/a\0"
            case .mount: config.mounts = [ContainerMount(hostPath: "/h", containerPath: "/c\0/../..")]
            case .log: config.logPath = "/log\0"
            case .layer: config.rootLayers = ["/layer\0"]
            }
        }
    }

    @Test("a NUL byte in any text is refused, as the kernel would cut it there", arguments: Poison.allCases)
    private func interiorNUL(poison: Poison) {
        let error = #expect(throws: RuntimeError.self) { try Self.plan(Self.config(poison.apply)) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("NUL") == true)
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
                "joinCgroup", "joinCgroup", "outOfMemoryScore", "resourceLimit", "enterContainerNamespaces",
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
        "a command joins the network, host name and IPC of its container unless they are the host's",
        arguments: [
            (false, false, UInt32(0x4E02_0000)), (true, false, UInt32(0x0A02_0000)), (false, true, UInt32(0x4602_0000)),
        ])
    func executionNamespaces(hostNetwork: Bool, hostIPC: Bool, types: UInt32) throws {
        // CLONE_NEWNS, NEWCGROUP and NEWIPC, and with a network of its own NEWNET and NEWUTS.
        let plan = try LaunchPlanner.planExecution(
            of: ["/bin/ls"], in: Self.config(), sandbox: Self.sandbox(hostNetwork: hostNetwork, hostIPC: hostIPC),
            cgroup: Self.cgroup, seccomp: nil)
        #expect(plan.steps.contains(.enterContainerNamespaces(types: types)))
    }
}
