import CLinux
import Glibc
public import LinuxKernel
public import MonitorCore

/// Turns a container's configuration into the ordered steps of its launch. Pure: no system call, no clock, no random number.
///
/// The order is the security of it: cgroup before anything costs; namespaces before mounts; masks before the container may run;
/// bounding set before groups, groups before uid, every descriptor closed, the user's own capabilities, seccomp as late as
/// no-new-privileges allows; exec last.
public struct LaunchPlanner: Sendable {
    /// Where one container's files are.
    public struct Places: Hashable, Sendable {
        /// Mount point for the root, in the new mount namespace only.
        public var root: String
        public var upper: String
        public var work: String

        public init(root: String, upper: String, work: String) {
            self.root = root
            self.upper = upper
            self.work = work
        }
    }

    /// What the cgroup manager says about the container's cgroup.
    public struct CgroupFacts: Hashable, Sendable {
        public var joinPoints: CgroupJoinPoints
        public var outOfMemoryEventsFile: String?
        public var outOfMemoryEventControlFile: String?
        /// v1 controller mounts to show in /sys/fs/cgroup, by name; empty on v2.
        public var v1Controllers: [String]
        public var hasUnified: Bool

        public init(
            joinPoints: CgroupJoinPoints, outOfMemoryEventsFile: String? = nil,
            outOfMemoryEventControlFile: String? = nil, v1Controllers: [String] = [], hasUnified: Bool = true
        ) {
            self.joinPoints = joinPoints
            self.outOfMemoryEventsFile = outOfMemoryEventsFile
            self.outOfMemoryEventControlFile = outOfMemoryEventControlFile
            self.v1Controllers = v1Controllers
            self.hasUnified = hasUnified
        }
    }

    /// Hidden from unprivileged containers (the masked paths of Kubernetes' default procMount).
    public static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    public static let readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// Nothing set-user-ID, no devices, nothing executable: kernel file systems and scratch.
    private static let inert: UInt64 = 0x2 | 0x4 | 0x8
    private static let readOnly: UInt64 = 0x1
    private static let noSetUserID: UInt64 = 0x2
    private static let noExecute: UInt64 = 0x8
    /// S_IFCHR of mknod(2).
    private static let characterDevice: UInt32 = 0o020000

    private let config: ContainerConfig
    private let sandbox: PodSandbox
    private let host: HostFacts
    private var steps: [LaunchStep] = []
    /// With a user namespace: bind mounts to open, and before which step.
    private var openBinds: [LaunchStep] = []
    private var openBindsIndex = 0

    private init(_ config: ContainerConfig, _ sandbox: PodSandbox, _ host: HostFacts = HostFacts()) {
        self.config = config
        self.sandbox = sandbox
        self.host = host
    }

    /// The launch of a container.
    public static func plan(
        _ config: ContainerConfig, sandbox: PodSandbox, places: Places, cgroup: CgroupFacts,
        host: HostFacts = HostFacts(), seccomp: [UInt8]?
    ) throws(RuntimeError) -> LaunchPlan {
        var planner = LaunchPlanner(config, sandbox, host)
        if let ids = sandbox.ids {
            try planner.addUserNamespace(ids, places, cgroup)
        } else {
            try planner.addJoins(cgroup)
            try planner.addRoot(places)
        }
        if config.isSandboxProcess {
            planner.addSharedProc()
        } else {
            try planner.addKernelFileSystems(cgroup)
        }
        try planner.addMounts()
        try planner.addVolumeDevices()
        if !config.isSandboxProcess { try planner.addProtections() }
        try planner.addPivot()
        try planner.addProcess(seccomp: seccomp)
        planner.steps.insert(contentsOf: planner.openBinds, at: planner.openBindsIndex)
        let clonesPIDNamespace = planner.ownsPIDNamespace && sandbox.ids == nil
        return LaunchPlan(
            cloneFlags: UInt64(clonesPIDNamespace ? CLONE_NEWNS | CLONE_NEWPID : CLONE_NEWNS),
            cgroupDirectory: try cgroup.joinPoints.v2Directory.map(text),
            logFile: config.logPath.isEmpty ? nil : try text(config.logPath),
            outOfMemoryEventsFile: try cgroup.outOfMemoryEventsFile.map(text),
            outOfMemoryEventControlFile: try cgroup.outOfMemoryEventControlFile.map(text),
            joinsPIDNamespace: planner.joinsPIDNamespace, steps: planner.steps)
    }

    /// Whether it is born in another process's PID namespace: its target's, or that of its sandbox.
    private var joinsPIDNamespace: Bool {
        config.targetContainerID != nil || sandbox.processNamespace == .pod && !config.isSandboxProcess
    }

    /// A command inside a running container: the same credentials, capabilities, filter, cgroup and namespaces as its init.
    public static func planExecution(
        of arguments: [String], in config: ContainerConfig, sandbox: PodSandbox, cgroup: CgroupFacts, seccomp: [UInt8]?,
        isTerminal: Bool = false
    ) throws(RuntimeError) -> LaunchPlan {
        var execution = config
        execution.arguments = arguments
        execution.isTerminal = isTerminal
        execution.keepsInput = false
        var planner = LaunchPlanner(execution, sandbox)
        for file in cgroup.joinPoints.v1TasksFiles { planner.steps.append(.joinCgroup(tasksFile: try text(file))) }
        planner.steps.append(.outOfMemoryScore(config.outOfMemoryScore))
        var types = CLONE_NEWNS | CLONE_NEWCGROUP
        if !sandbox.hostIPC { types |= CLONE_NEWIPC }
        if !sandbox.hostNetwork { types |= CLONE_NEWNET | CLONE_NEWUTS }
        if sandbox.ids != nil { types |= CLONE_NEWUSER }
        // Before a user namespace is entered, in which no limit can be raised.
        try planner.addLimits()
        planner.steps.append(.enterContainerNamespaces(types: UInt32(types)))
        try planner.addCredentials(seccomp: seccomp)
        return LaunchPlan(cgroupDirectory: try cgroup.joinPoints.v2Directory.map(text), steps: planner.steps)
    }

    private var ownsPIDNamespace: Bool {
        !joinsPIDNamespace && (sandbox.processNamespace != .host || config.isSandboxProcess)
    }

    /// What needs the host's rights first, then the namespaces, then the pod's own root.
    private mutating func addUserNamespace(
        _ ids: IDRange, _ places: Places, _ cgroup: CgroupFacts
    ) throws(RuntimeError) {
        for file in cgroup.joinPoints.v1TasksFiles { steps.append(.joinCgroup(tasksFile: try Self.text(file))) }
        steps.append(.outOfMemoryScore(config.outOfMemoryScore))
        if let mount = config.mounts.first(where: { $0.propagation == .bidirectional }) {
            // The root of a user namespace would mount on the host.
            throw RuntimeError(
                .invalidConfiguration,
                "mountPropagation Bidirectional of \"\(mount.containerPath)\" cannot go with hostUsers: false: use "
                    + "HostToContainer")
        }
        steps.append(.setPropagation(flags: UInt64(MS_SLAVE | MS_REC)))
        steps.append(.openUserNamespace(path: try Self.text(sandbox.userNamespacePath)))
        steps.append(
            .openOverlayRoot(
                lower: try Self.texts(config.rootLayers), upper: try Self.text(places.upper),
                work: try Self.text(places.work), target: try Self.text(places.root),
                mapsIDs: !config.isSandboxProcess))
        openBindsIndex = steps.count
        guard let user = ids.hostID(config.userID) else {
            throw RuntimeError(
                .invalidConfiguration,
                "user \(config.userID) is not one of the \(ids.count) of the pod's user namespace (hostUsers: false)")
        }
        steps.append(.ownStandardStreams(userID: user))
        try addLimits()
        for (name, type) in sandbox.namespaces {
            steps.append(.enterNamespace(path: try Self.text(sandbox.namespacePath(name)), type: UInt32(type)))
        }
        steps.append(.unshare(flags: UInt32(CLONE_NEWNS | CLONE_NEWCGROUP)))
        // Only now, so that the PID namespace is owned by the user namespace too.
        if ownsPIDNamespace { steps.append(.becomeInit) }
        // By the host's root still, to whom the way there is open.
        steps.append(.attachRoot(target: try Self.text(places.root)))
        steps += [.supplementaryGroups([]), .groupID(0), .userID(0)]
    }

    private mutating func addJoins(_ cgroup: CgroupFacts) throws(RuntimeError) {
        for file in cgroup.joinPoints.v1TasksFiles { steps.append(.joinCgroup(tasksFile: try Self.text(file))) }
        steps.append(.outOfMemoryScore(config.outOfMemoryScore))
        for (name, type) in sandbox.namespaces {
            steps.append(.enterNamespace(path: try Self.text(sandbox.namespacePath(name)), type: UInt32(type)))
        }
        // After the joins: the container's cgroup becomes the root that it sees.
        steps.append(.unshare(flags: UInt32(CLONE_NEWCGROUP)))
    }

    private mutating func addRoot(_ places: Places) throws(RuntimeError) {
        for mount in config.mounts where mount.propagation == .bidirectional {
            steps.append(.shareSource(try Self.text(mount.hostPath), forbidsLinks: mount.forbidsLinks))
        }
        // Slave: what the host mounts later for us arrives, what the container mounts never leaves.
        steps.append(.setPropagation(flags: UInt64(MS_SLAVE | MS_REC)))
        steps.append(
            .mountOverlayRoot(
                lower: try Self.texts(config.rootLayers), upper: try Self.text(places.upper),
                work: try Self.text(places.work),
                target: try Self.text(places.root)))
    }

    /// The sandbox's process has its program, and the /proc that the pod's containers get: who enters them is not in their PID
    /// namespace until the last moment, and cannot mount it. With a user namespace each mounts its own.
    private mutating func addSharedProc() {
        if sandbox.ids == nil { addMount("proc", "/proc", Self.inert) }
    }

    private mutating func addKernelFileSystems(_ cgroup: CgroupFacts) throws(RuntimeError) {
        let readOnlyUnlessPrivileged = config.privileged ? 0 : Self.readOnly
        addMount("proc", "/proc", Self.inert)
        addMount("tmpfs", "/dev", Self.noSetUserID | Self.noExecute, [("mode", "755"), ("size", "65536k")])
        addDevices()
        try addHostDevices()
        addMount(
            "devpts", "/dev/pts", Self.noSetUserID | Self.noExecute,
            [("newinstance", nil), ("ptmxmode", "0666"), ("mode", "0620"), ("gid", "5")])
        addMount("mqueue", "/dev/mqueue", Self.inert)
        try addBind(
            ContainerMount(hostPath: sandbox.sharedMemoryPath, containerPath: "/dev/shm", hasPodIDs: true),
            attributes: Self.inert)
        addMount("sysfs", "/sys", Self.inert | readOnlyUnlessPrivileged)
        try addCgroupFileSystem(cgroup, Self.inert | readOnlyUnlessPrivileged)
    }

    private static let devices: [(path: StaticString, major: UInt32, minor: UInt32)] = [
        ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8), ("/dev/urandom", 1, 9),
        ("/dev/tty", 5, 0),
    ]

    private mutating func addDevices() {
        for (path, major, minor) in Self.devices {
            let path = CString(terminated: path)
            // Nobody in a user namespace can make a device.
            steps.append(
                sandbox.ids != nil
                    ? .bindDevice(path: path, major: major, minor: minor)
                    : .deviceNode(path: path, mode: Self.characterDevice | 0o666, major: major, minor: minor))
        }
        let links: [(StaticString, StaticString)] = [
            ("/proc/self/fd", "/dev/fd"), ("/proc/self/fd/0", "/dev/stdin"), ("/proc/self/fd/1", "/dev/stdout"),
            ("/proc/self/fd/2", "/dev/stderr"), ("pts/ptmx", "/dev/ptmx"),
        ]
        for (target, path) in links {
            steps.append(.symbolicLink(target: CString(terminated: target), path: CString(terminated: path)))
        }
    }

    /// A privileged container's: the host's devices as they were when it was made, with their owners.
    private mutating func addHostDevices() throws(RuntimeError) {
        guard config.privileged else { return }
        let standard = Set(Self.devices.map { $0.path.description })
        for device in host.devices where !standard.contains(device.path) {
            let path = try Self.text(device.path)
            if sandbox.ids != nil {
                steps.append(.bindDevice(path: path, major: device.major, minor: device.minor))
                continue
            }
            steps.append(.deviceNode(path: path, mode: device.mode, major: device.major, minor: device.minor))
            if device.userID != 0 || device.groupID != 0 {
                steps.append(.changeOwner(path: path, user: device.userID, group: device.groupID))
            }
        }
    }

    private mutating func addCgroupFileSystem(_ cgroup: CgroupFacts, _ attributes: UInt64) throws(RuntimeError) {
        if cgroup.v1Controllers.isEmpty {
            if cgroup.hasUnified { addMount("cgroup2", "/sys/fs/cgroup", attributes) }
            return
        }
        addMount("tmpfs", "/sys/fs/cgroup", Self.inert, [("mode", "755")])
        for controller in cgroup.v1Controllers {
            try addController(controller, attributes)
        }
    }

    private mutating func addMounts() throws(RuntimeError) {
        // Parents before what is mounted inside them.
        let ordered = config.mounts.sorted { first, second in
            let depths = (Self.depth(first.containerPath), Self.depth(second.containerPath))
            return depths.0 != depths.1 ? depths.0 < depths.1 : first.containerPath < second.containerPath
        }
        for mount in ordered {
            let attributes = mount.readOnly ? Self.readOnly : 0
            try addBind(
                mount, attributes: mount.readOnlyBelow ? attributes : 0,
                topAttributes: mount.readOnlyBelow ? 0 : attributes)
        }
    }

    private mutating func addVolumeDevices() throws(RuntimeError) {
        steps += try Self.steps(for: config.devices, hasUserNamespace: sandbox.ids != nil)
    }

    private static func depth(_ path: String) -> Int { path.split(separator: "/").count }

    private mutating func addProtections() throws(RuntimeError) {
        if !config.privileged && !config.isProcUnmasked {
            for path in Self.maskedPaths + host.maskedPaths { steps.append(.maskPath(try Self.text(path))) }
            for path in Self.readOnlyPaths { steps.append(.readOnlyPath(try Self.text(path))) }
        }
    }

    private mutating func addPivot() throws(RuntimeError) {
        if config.workingDirectory != "/" { steps.append(.makeDirectory(try Self.text(config.workingDirectory))) }
        steps.append(.pivotRoot)
        if config.readOnlyRoot { steps.append(.makeRootReadOnly) }
    }

    private mutating func addProcess(seccomp: [UInt8]?) throws(RuntimeError) {
        if sandbox.ids == nil {
            if config.userID != 0 { steps.append(.ownStandardStreams(userID: config.userID)) }
            try addLimits()
        }
        steps.append(.awaitRelease)
        try addCredentials(seccomp: seccomp)
    }

    private mutating func addLimits() throws(RuntimeError) {
        for limit in config.resourceLimits {
            steps.append(.resourceLimit(resource: limit.resource, soft: limit.soft, hard: limit.hard))
        }
    }

    private mutating func addCredentials(seccomp: [UInt8]?) throws(RuntimeError) {
        let mask = config.capabilities.mask
        steps.append(.boundingCapabilities(mask))
        // Without no-new-privileges a filter needs CAP_SYS_ADMIN: it comes while we still have it.
        if !config.noNewPrivileges {
            try addAppArmorProfile()
            if let seccomp { steps.append(.seccompFilter(seccomp)) }
        }
        steps.append(.supplementaryGroups(config.supplementaryGroups))
        steps.append(.groupID(config.groupID))
        steps.append(.userID(config.userID))
        if config.isTerminal { steps.append(.openTerminal) } else if config.keepsInput { steps.append(.keepInput) }
        // None of ours may be found by what follows.
        steps.append(.closeDescriptors)
        try addWorkingDirectory()
        // A user who is not root has none, now or after execve(2); what its bounding set holds a program with file capabilities
        // can still get.
        let held = config.userID == 0 ? mask : 0
        steps.append(.capabilities(effective: held, permitted: held, inheritable: 0))
        steps.append(.parentDeathSignal)
        if config.noNewPrivileges {
            try addAppArmorProfile()
            steps.append(.noNewPrivileges)
            if let seccomp { steps.append(.seccompFilter(seccomp)) }
        }
        steps.append(try execute())
    }

    /// Asked for before there is a filter that might not let it be, and kept by the kernel for the execve(2) to come.
    private mutating func addAppArmorProfile() throws(RuntimeError) {
        guard let profile = config.appArmorProfile else { return }
        steps.append(.appArmorProfile(try Self.text(profile)))
    }

    /// Entered as its user, whom a network file system may know better than root, and as one who may search any directory: an
    /// image's working directory need not be open to the user that a pod names.
    private mutating func addWorkingDirectory() throws(RuntimeError) {
        if config.workingDirectory != "/" {
            let search = CapabilitySet([.DAC_OVERRIDE]).mask
            steps.append(
                .capabilities(effective: search, permitted: config.capabilities.mask | search, inheritable: 0))
        }
        steps.append(.workingDirectory(try Self.text(config.workingDirectory)))
    }

    private func execute() throws(RuntimeError) -> LaunchStep {
        guard let program = config.arguments.first, !program.isEmpty else {
            throw RuntimeError(.invalidConfiguration, "no command: neither the container nor its image names one")
        }
        var candidates: [CString] = []
        if program.contains("/") {
            candidates = [try Self.text(program)]
        } else {
            let path = config.environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
            for directory in (path ?? Self.defaultPath).split(separator: ":") {
                candidates.append(try Self.text(directory + "/" + program))
            }
        }
        var arguments: [CString] = []
        for argument in config.arguments { arguments.append(try Self.text(argument)) }
        var environment: [CString] = []
        for variable in config.environment { environment.append(try Self.text(variable)) }
        if config.isTerminal, !config.environment.contains(where: { $0.hasPrefix("TERM=") }) {
            environment.append(CString(terminated: "TERM=xterm"))
        }
        return .execute(candidates: candidates, arguments: arguments, environment: environment)
    }

    private mutating func addMount(
        _ type: StaticString, _ target: StaticString, _ attributes: UInt64,
        _ options: [(StaticString, StaticString?)] = []
    ) {
        steps.append(
            .mount(
                type: CString(terminated: type), target: CString(terminated: target), attributes: attributes,
                options: options.map { key, value in
                    MountOption(key: CString(terminated: key), value: value.map { CString(terminated: $0) })
                }))
    }

    private mutating func addController(_ name: String, _ attributes: UInt64) throws(RuntimeError) {
        steps.append(
            .mount(
                type: CString(terminated: "cgroup"), target: try Self.text("/sys/fs/cgroup/" + name),
                attributes: attributes, options: [MountOption(key: try Self.text(name))]))
    }

    private mutating func addBind(
        _ mount: ContainerMount, attributes: UInt64, topAttributes: UInt64 = 0
    ) throws(RuntimeError) {
        let propagation =
            switch mount.propagation {
            case .none: MS_PRIVATE
            case .hostToContainer: MS_SLAVE
            case .bidirectional: MS_SHARED
            }
        let bind = BindMount(
            source: try Self.text(mount.hostPath), target: try Self.text(mount.containerPath),
            kind: mount.isFile ? .file : .directory, attributes: attributes, propagation: UInt64(propagation),
            topAttributes: topAttributes)
        guard sandbox.ids != nil else {
            steps.append(mount.forbidsLinks ? .bindWithoutLinks(bind) : .bind(bind))
            return
        }
        // Opened in the order of the attachments, but with the host's rights, which are gone by now.
        openBinds.append(
            .openBind(bind, forbidsLinks: mount.forbidsLinks, mapsIDs: !mount.hasPodIDs && !config.isSandboxProcess))
        steps.append(.attachBind)
    }

    private static func texts(_ strings: [String]) throws(RuntimeError) -> [CString] {
        var texts: [CString] = []
        for string in strings { texts.append(try text(string)) }
        return texts
    }

    private static func text(_ string: some StringProtocol) throws(RuntimeError) -> CString {
        guard let text = CString(string.utf8) else {
            throw RuntimeError(.invalidConfiguration, "\"\(string)\" holds a NUL byte, which the kernel cannot take")
        }
        return text
    }
}
