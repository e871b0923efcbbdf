import Glibc
import KubernetesAPI
import LinuxKernel

/// The JSON of container runtimes' profiles, as the OCI runtime specification and its predecessors write it.
extension SeccompProfile {
    /// Room for the largest profiles in use several times over.
    static let maximumBytes = 1 << 20
    private static let limits = JSONLimits(maximumDepth: 16, maximumBytes: maximumBytes)
    private static let maximumRules = 4096
    private static let maximumNames = 4096

    /// Decodes a profile and keeps the rules that hold for these facts.
    init(decoding bytes: [UInt8], _ facts: SeccompFacts) throws(SeccompProfileError) {
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONValue(parsing: bytes, limits: Self.limits) } catch {
            throw SeccompProfileError("", "not JSON: \(error)")
        }
        let document = SeccompDocument(value: value, field: "")
        _ = try document.object(allowing: [
            "defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap", "syscalls", "flags",
            "listenerPath", "listenerMetadata",
        ])
        for name in ["listenerPath", "listenerMetadata"] {
            if let listener = document.member(name) {
                throw SeccompProfileError(listener.field, "notifying a listener is not possible: remove the field")
            }
        }
        // TSYNC is for programs with threads: a container's first process has one.
        for flag in try document.member("flags")?.elements(atMost: 16) ?? []
        where try flag.text() != "SECCOMP_FILTER_FLAG_TSYNC" {
            throw SeccompProfileError(flag.field, "\(flag.shown) is not supported: remove it")
        }
        guard let action = document.member("defaultAction") else {
            throw SeccompProfileError("defaultAction", "is missing: say what becomes of calls without a rule")
        }
        defaultAction = try SeccompAction(
            action, number: document.member("defaultErrnoRet"), name: document.member("defaultErrno"))
        architectures = try Self.architectures(document)
        rules = []
        for element in try document.member("syscalls")?.elements(atMost: Self.maximumRules) ?? [] {
            let (rule, holds) = try Self.rule(element, facts)
            if holds { rules.append(rule) }
        }
    }

    // MARK: Architectures

    private static func architectures(
        _ document: SeccompDocument
    ) throws(SeccompProfileError) -> Set<SeccompArchitecture> {
        if let map = document.member("archMap") {
            guard document.member("architectures") == nil else {
                throw SeccompProfileError(map.field, "is given besides architectures: use one of them")
            }
            var found: Set<SeccompArchitecture> = []
            for entry in try map.elements(atMost: 64) {
                _ = try entry.object(allowing: ["architecture", "subArchitectures"])
                guard let main = entry.member("architecture") else {
                    throw SeccompProfileError(entry.field, "has no architecture")
                }
                let architecture = try usable(main)
                var others: Set<SeccompArchitecture> = []
                for element in try entry.member("subArchitectures")?.elements(atMost: 64) ?? [] {
                    if let other = try usable(element) { others.insert(other) }
                }
                // The map says what belongs to the machine's own architecture; other lines are for other machines.
                if architecture == .native { found.formUnion(others) }
            }
            return found
        }
        var found: Set<SeccompArchitecture> = []
        for element in try document.member("architectures")?.elements(atMost: 64) ?? [] {
            if let architecture = try usable(element) { found.insert(architecture) }
        }
        return found
    }

    /// Nil for one that this machine cannot have.
    private static func usable(_ document: SeccompDocument) throws(SeccompProfileError) -> SeccompArchitecture? {
        let name = try document.text()
        if let architecture = SeccompArchitecture(rawValue: name) {
            return SeccompArchitecture.usable.contains(architecture) ? architecture : nil
        }
        if name == "SCMP_ARCH_NATIVE" { return .native }
        guard SeccompArchitecture.foreign.contains(name) else {
            throw SeccompProfileError(document.field, "\(document.shown) is no architecture; one is SCMP_ARCH_X86_64")
        }
        return nil
    }

    // MARK: Rules

    private static func rule(
        _ document: SeccompDocument, _ facts: SeccompFacts
    ) throws(SeccompProfileError) -> (Rule, holds: Bool) {
        _ = try document.object(allowing: [
            "name", "names", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes",
        ])
        var names = try document.member("names")?.texts(atMost: maximumNames) ?? []
        if let name = document.member("name") {
            guard names.isEmpty else {
                throw SeccompProfileError(name.field, "is given besides names: use one of them")
            }
            names = [try name.text()]
        }
        guard !names.isEmpty else { throw SeccompProfileError(document.field, "names no call: fill in names") }
        for name in names where !isPossibleName(name) {
            throw SeccompProfileError(document.field + ".names", "\"\(name.prefix(64))\" cannot be a system call")
        }
        _ = try document.member("comment")?.text()
        guard let action = document.member("action") else {
            throw SeccompProfileError(document.field + ".action", "is missing")
        }
        let rule = Rule(
            names: names,
            action: try SeccompAction(action, number: document.member("errnoRet"), name: document.member("errno")),
            conditions: try conditions(document))
        let includes = try document.member("includes").map { filter throws(SeccompProfileError) in
            try RuleFilter(filter)
        }
        let excludes = try document.member("excludes").map { filter throws(SeccompProfileError) in
            try RuleFilter(filter)
        }
        return (rule, (includes?.includes(facts) ?? true) && !(excludes?.excludes(facts) ?? false))
    }

    private static func isPossibleName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func conditions(_ document: SeccompDocument) throws(SeccompProfileError) -> [SeccompCondition] {
        var conditions: [SeccompCondition] = []
        for element in try document.member("args")?.elements(atMost: 6) ?? [] {
            _ = try element.object(allowing: ["index", "value", "valueTwo", "op"])
            guard let index = element.member("index") else {
                throw SeccompProfileError(element.field + ".index", "is missing")
            }
            let argument = UInt32(truncatingIfNeeded: try index.number(0...5))
            // Runtimes do not agree whether two such hold together or either.
            guard !conditions.contains(where: { $0.argument == argument }) else {
                throw SeccompProfileError(
                    index.field, "argument \(argument) has a condition already: use a rule for each")
            }
            let value = UInt64(bitPattern: try element.member("value")?.number(0...Int64.max) ?? 0)
            let second = UInt64(bitPattern: try element.member("valueTwo")?.number(0...Int64.max) ?? 0)
            guard let operation = element.member("op") else {
                throw SeccompProfileError(element.field + ".op", "is missing")
            }
            conditions.append(SeccompCondition(argument, try comparison(operation, value, second)))
        }
        return conditions
    }

    private static func comparison(
        _ operation: SeccompDocument, _ value: UInt64, _ second: UInt64
    ) throws(SeccompProfileError) -> SeccompCondition.Comparison {
        switch try operation.text() {
        case "SCMP_CMP_NE": return .notEqual(value)
        case "SCMP_CMP_LT": return .less(value)
        case "SCMP_CMP_LE": return .lessOrEqual(value)
        case "SCMP_CMP_EQ": return .equal(value)
        case "SCMP_CMP_GE": return .greaterOrEqual(value)
        case "SCMP_CMP_GT": return .greater(value)
        case "SCMP_CMP_MASKED_EQ":
            guard second & ~value == 0 else {
                throw SeccompProfileError(
                    operation.field,
                    "valueTwo \(second) has bits outside of the mask \(value) in value: it never matches")
            }
            return .masked(mask: value, value: second)
        default:
            throw SeccompProfileError(
                operation.field,
                "\(operation.shown) is no comparison; known are SCMP_CMP_EQ, NE, LT, LE, GE, GT and MASKED_EQ")
        }
    }

    /// `includes` or `excludes` of a rule.
    private struct RuleFilter {
        private var capabilities: [Capability?] = []
        private var architectures: [String] = []
        private var minimumKernel: SeccompFacts.KernelVersion?

        init(_ document: SeccompDocument) throws(SeccompProfileError) {
            _ = try document.object(allowing: ["caps", "arches", "minKernel"])
            architectures = try document.member("arches")?.texts(atMost: 64) ?? []
            for element in try document.member("caps")?.elements(atMost: 64) ?? [] {
                let name = try element.text()
                // One that this version does not know is held by no container.
                guard name.hasPrefix("CAP_") else {
                    throw SeccompProfileError(element.field, "\(element.shown) is no capability; one is CAP_SYS_ADMIN")
                }
                capabilities.append(Capability(name: String(name.dropFirst(4))))
            }
            if let minimum = document.member("minKernel") {
                guard let version = SeccompFacts.KernelVersion(try minimum.text()) else {
                    throw SeccompProfileError(minimum.field, "\(minimum.shown) is no kernel version such as 4.8")
                }
                minimumKernel = version
            }
        }

        private func isHeld(_ capability: Capability?, _ facts: SeccompFacts) -> Bool {
            capability.map(facts.capabilities.contains) ?? false
        }

        func includes(_ facts: SeccompFacts) -> Bool {
            if let minimumKernel, facts.kernel < minimumKernel { return false }
            if !architectures.isEmpty, !architectures.contains(SeccompArchitecture.native.ruleName) { return false }
            return capabilities.allSatisfy { isHeld($0, facts) }
        }

        func excludes(_ facts: SeccompFacts) -> Bool {
            if let minimumKernel, facts.kernel >= minimumKernel { return true }
            return architectures.contains(SeccompArchitecture.native.ruleName)
                || capabilities.contains { isHeld($0, facts) }
        }
    }
}

extension SeccompAction {
    fileprivate init(
        _ action: SeccompDocument, number: SeccompDocument?, name: SeccompDocument?
    ) throws(SeccompProfileError) {
        let value = try Self.errno(number, name)
        let text = try action.text()
        switch text {
        case "SCMP_ACT_ERRNO": self = .error(value ?? UInt16(EPERM))
        case "SCMP_ACT_TRACE": self = .trace(value ?? UInt16(EPERM))
        case "SCMP_ACT_ALLOW": self = .allow
        case "SCMP_ACT_LOG": self = .log
        case "SCMP_ACT_TRAP": self = .trap
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": self = .killThread
        case "SCMP_ACT_KILL_PROCESS": self = .killProcess
        case "SCMP_ACT_NOTIFY":
            throw SeccompProfileError(action.field, "notifying a listener is not possible: use SCMP_ACT_ERRNO")
        default:
            throw SeccompProfileError(
                action.field,
                "\(action.shown) is no action; known are SCMP_ACT_ALLOW, ERRNO, KILL, KILL_PROCESS, KILL_THREAD, LOG, "
                    + "TRACE and TRAP")
        }
        if let given = number ?? name, text != "SCMP_ACT_ERRNO", text != "SCMP_ACT_TRACE" {
            throw SeccompProfileError(given.field, "goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE only")
        }
    }

    /// The largest error number that the kernel gives back (MAX_ERRNO).
    private static let maximumErrno: Int64 = 4095

    private static func errno(
        _ number: SeccompDocument?, _ name: SeccompDocument?
    ) throws(SeccompProfileError) -> UInt16? {
        let value = try number.map { number throws(SeccompProfileError) in
            UInt16(truncatingIfNeeded: try number.number(0...maximumErrno))
        }
        guard let name else { return value }
        guard let named = namedErrors[try name.text()] else {
            throw SeccompProfileError(name.field, "\(name.shown) is not understood: give the number instead")
        }
        guard value == nil || value == named else {
            throw SeccompProfileError(name.field, "\(name.shown) is not the number besides it")
        }
        return named
    }

    /// Those that profiles give by name, as some tools write them besides the number.
    private static let namedErrors: [String: UInt16] = [
        "EPERM": UInt16(EPERM), "ENOSYS": UInt16(ENOSYS), "EACCES": UInt16(EACCES), "EINVAL": UInt16(EINVAL),
        "EAFNOSUPPORT": UInt16(EAFNOSUPPORT), "ENOENT": UInt16(ENOENT), "EBADF": UInt16(EBADF),
        "EOPNOTSUPP": UInt16(EOPNOTSUPP),
    ]
}
