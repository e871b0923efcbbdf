import ContainerImages
import ContainerRuntime
import ControlEndpoint
import Glibc
import KubernetesAPI
import LinuxKernel
import NodeAgent
import PodNetwork

/// A node's settings after flags, configuration file and defaults: checked, one error each that names the flag.
struct NodeSettings: Sendable {
    var root: String
    var run: String
    var logDirectory: String
    var listenAddress: String
    var listenPort: Int
    var nodePort: Int
    var api: NodeAPISettings
    var auditLevel: AuditLevel
    var nodeName: String
    var podCIDRs: [CIDR]
    var manifests: String
    var cgroupRoot: String
    var monitorPath: String
    var nodeIP: String?
    var maxPods: Int
    var resources: ResourceSettings
    var policyFile: String
    /// Somebody named the file: it must be there.
    var isPolicyRequired: Bool
    /// `registries.yaml`.
    var registriesFile: String
    /// Somebody named the file: it must be there.
    var areRegistriesRequired: Bool
    /// A docker `config.json`.
    var registryCredentials: String
    /// A CredentialProviderConfig and the directory of its programs; nil without providers.
    var credentialProviders: (file: String, binaryDirectory: String)?
    var idsPerPod: Int
    var manifestURL: ManifestURL?
    var manifestURLHeaders: [(name: String, value: String)]
    /// Names, or prefixes ending in `*`.
    var allowedUnsafeSysctls: [String]
    var protection: ProtectionSettings

    init(_ options: NodeOptions, listen: String?) throws {
        let file = try ConfigurationFile(path: options.config)
        func text(_ flag: String?, _ field: String, _ standard: String) throws -> String {
            try flag ?? file.text(field) ?? standard
        }
        root = try Self.directory(text(options.places.root, "root", "/var/lib/swiftlet"), "--root")
        run = try Self.directory(text(options.places.run, "run", "/run/swiftlet"), "--run")
        logDirectory = try Self.directory(text(options.places.logDir, "logDir", "/var/log"), "--log-dir")
        manifests = try Self.directory(text(options.manifests, "manifests", "/etc/swiftlet/manifests"), "--manifests")
        (listenAddress, listenPort) = try Self.address(text(listen, "listen", "127.0.0.1:6443"))
        nodePort = try options.nodePort ?? file.integer("nodePort") ?? 10250
        guard (0...65535).contains(nodePort) else {
            throw SettingError("--node-port \(nodePort): not a port; give a number from 0 to 65535")
        }
        api = try NodeAPISettings(options.api, file)
        auditLevel = try Self.auditLevel(text(options.audit, "audit", AuditLevel.metadata.rawValue))
        nodeName = try Self.nodeName(text(options.nodeName, "nodeName", Self.hostName))
        let suffix = run == "/run/swiftlet" ? "" : "-" + Self.digest(run)
        cgroupRoot = try text(options.cgroupRoot, "cgroupRoot", "/swiftlet" + suffix)
        guard cgroupRoot.hasPrefix("/"), !cgroupRoot.split(separator: "/").contains("..") else {
            throw SettingError("--cgroup-root \(cgroupRoot): must be absolute and without \"..\", such as /swiftlet")
        }
        podCIDRs = try (options.podCIDR ?? file.text("podCIDR")).map(Self.networks) ?? Self.defaultNetworks(run: run)
        monitorPath = try options.monitor ?? file.text("monitor") ?? Self.findMonitor()
        nodeIP = try options.nodeIP ?? file.text("nodeIP")
        maxPods = try file.integer("maxPods") ?? 110
        resources = try ResourceSettings(options.resources, file)
        let policy = try options.policy ?? file.text("policy")
        policyFile = try Self.directory(policy ?? Self.defaultPolicyFile, "--policy")
        isPolicyRequired = policy != nil
        let registries = try options.registries ?? file.text("registries")
        registriesFile = try Self.directory(registries ?? Self.defaultRegistriesFile, "--registries")
        areRegistriesRequired = registries != nil
        registryCredentials = try Self.directory(
            text(options.registryCredentials, "registryCredentials", root + "/config.json"), "--registry-credentials")
        credentialProviders = try Self.credentialProviders(
            options.imageCredentialProviderConfig ?? file.text("imageCredentialProviderConfig"),
            options.imageCredentialProviderBinDir ?? file.text("imageCredentialProviderBinDir"))
        idsPerPod = try file.integer("idsPerPod", in: "userNamespaces") ?? Int(IDRangePool.unit)
        guard idsPerPod > 0, idsPerPod.isMultiple(of: Int(IDRangePool.unit)) else {
            throw SettingError(
                "--config userNamespaces.idsPerPod \(idsPerPod): must be a multiple of \(IDRangePool.unit)")
        }
        protection = try ProtectionSettings(options.protection, file)
        manifestURL = try (options.manifestURL ?? file.text("staticPodURL")).map(Self.manifestURL)
        manifestURLHeaders =
            try options.manifestURLHeaders.map(Self.header)
            + (file.lists("staticPodURLHeader") ?? []).flatMap { entry in entry.values.map { (entry.name, $0) } }
        allowedUnsafeSysctls = try Self.sysctls(
            options.allowedUnsafeSysctls.map { $0.split(separator: ",").map(String.init) }
                ?? file.list("allowedUnsafeSysctls") ?? [])
    }

    /// Where a node that runs leaves its settings for the local verbs.
    static func recordPath(_ run: String) -> String { run + "/settings.yaml" }

    /// Keeps the settings as a configuration file, which JSON is too.
    func keep() throws {
        let record: JSONValue = [
            "root": .string(root), "run": .string(run), "logDir": .string(logDirectory),
            "nodeName": .string(nodeName), "nodePort": .integer(Int64(nodePort)),
            "podCIDR": .string(podCIDRs.map(\.description).joined(separator: ",")), "manifests": .string(manifests),
            "cgroupRoot": .string(cgroupRoot), "monitor": .string(monitorPath),
            "userNamespaces": ["idsPerPod": .integer(Int64(idsPerPod))],
        ]
        try FileSystem.writeAtomically(Self.recordPath(run), record.serialized(), durable: false)
    }

    /// Host ids for pods with user namespaces.
    var idRanges: Result<IDRangePool, IDRangeError> {
        Result { () throws(IDRangeError) in
            try IDRangePool(
                idsPerPod: idsPerPod, maxPods: maxPods, subuid: try? FileSystem.readText("/etc/subuid"),
                subgid: try? FileSystem.readText("/etc/subgid"))
        }
    }

    /// Interface and nftables table: short names, one per node of this host.
    var bridgeName: String { run == "/run/swiftlet" ? "swiftlet0" : "sl-" + Self.digest(run) }
    var nftablesTable: String { run == "/run/swiftlet" ? "swiftlet" : "swiftlet_" + Self.digest(run) }
    var socketPath: String { run + "/swiftlet.sock" }

    private static func directory(_ path: String, _ flag: String) throws -> String {
        guard path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw SettingError("\(flag) \(path): must be an absolute path without \"..\"")
        }
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private static func address(_ text: String) throws -> (String, Int) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { throw SettingError("--listen \(text): expected ADDRESS:PORT, such as 127.0.0.1:6443") }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard IPAddress(host) != nil else {
            throw SettingError("--listen \(text): \"\(host)\" is not an IP address; expected such as 127.0.0.1:6443")
        }
        return (String(host), port)
    }

    private static func networks(_ text: String) throws -> [CIDR] {
        let parts = text.split(separator: ",")
        guard (1...2).contains(parts.count) else {
            throw SettingError("--pod-cidr \(text): expected one network, or an IPv4 and an IPv6 one with a comma")
        }
        return try parts.map { part in
            do throws(NetworkError) { return try CIDR(parsing: String(part)) } catch {
                throw SettingError("--pod-cidr \(part): \(error)")
            }
        }
    }

    static let defaultRegistriesFile = "/etc/swiftlet/registries.yaml"

    func registryConfiguration() throws -> RegistryConfiguration {
        do throws(RegistryConfiguration.Invalid) {
            return try RegistryConfiguration(contentsOf: registriesFile, isRequired: areRegistriesRequired)
        } catch { throw SettingError("--registries \(error)") }
    }

    private static func credentialProviders(
        _ file: String?, _ binaryDirectory: String?
    ) throws -> (file: String, binaryDirectory: String)? {
        guard let file, let binaryDirectory else {
            guard file == nil, binaryDirectory == nil else {
                throw SettingError(
                    "--image-credential-provider-config and --image-credential-provider-bin-dir: give both or neither")
            }
            return nil
        }
        return (
            try directory(file, "--image-credential-provider-config"),
            try directory(binaryDirectory, "--image-credential-provider-bin-dir")
        )
    }

    /// Blocks on the disk.
    func nodeCredentials() throws -> NodeCredentials {
        let file = NodeCredentialFile(path: registryCredentials)
        guard let places = credentialProviders else { return NodeCredentials(file: file) }
        do throws(CredentialProviderConfiguration.Invalid) {
            return NodeCredentials(
                file: file,
                providers: try CredentialProviderConfiguration(
                    contentsOf: places.file, binaryDirectory: places.binaryDirectory))
        } catch { throw SettingError("--image-credential-provider-config \(error)") }
    }

    static let defaultPolicyFile = "/etc/swiftlet/policy.yaml"

    private static func sysctls(_ patterns: [String]) throws -> [String] {
        for pattern in patterns where !PodAdmission.isNamespaced(sysctlPattern: pattern) {
            throw SettingError(
                "--allowed-unsafe-sysctls \(pattern): not a parameter that each pod has for itself; "
                    + "give names or beginnings of kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.* and net.*")
        }
        return patterns
    }

    private static func auditLevel(_ text: String) throws -> AuditLevel {
        guard let level = AuditLevel(rawValue: text) else {
            throw SettingError(
                "--audit \(text): expected \(AuditLevel.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }

    private static func manifestURL(_ text: String) throws -> ManifestURL {
        // The text itself is not repeated: it may hold a password.
        do throws(ManifestURL.Invalid) { return try ManifestURL(parsing: text) } catch {
            throw SettingError("--manifest-url: \(error)")
        }
    }

    private static func header(_ text: String) throws -> (name: String, value: String) {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
            throw SettingError("--manifest-url-header: expected 'Name: value'")
        }
        return (String(text[..<colon]), String(text[text.index(after: colon)...].drop { $0 == " " }))
    }

    /// One of each family that the host has. The IPv6 one is different on every machine, and for every node of one.
    private static func defaultNetworks(run: String) throws -> [CIDR] {
        let standard = try networks("10.85.0.0/24")
        guard HostIPv6.isEnabled else { return standard }
        let machine = (try? FileSystem.readText("/etc/machine-id")) ?? ""
        return standard + [.uniqueLocal(seed: (machine.isEmpty ? hostName : machine) + run)]
    }

    private static func nodeName(_ name: String) throws -> String {
        let isValid =
            !name.isEmpty && name.utf8.count <= 253
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                !label.isEmpty && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { byte in
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                    }
            }
        guard isValid else {
            throw SettingError("--node-name \(name): must be lower-case letters, digits, '-' and '.', such as node-1")
        }
        return name
    }

    private static var hostName: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).lowercased()
        }
    }

    private static func findMonitor() throws -> String {
        let beside = FileSystem.linkTarget("/proc/self/exe").map { executable in
            executable.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/swiftlet-monitor"
        }
        for path in [beside, "/usr/lib/swiftlet/swiftlet-monitor"].compactMap({ $0 }) where FileSystem.exists(path) {
            return path
        }
        throw SettingError("swiftlet-monitor is neither beside swiftlet nor in /usr/lib/swiftlet: give --monitor PATH")
    }

    /// Eight hexadecimal digits of FNV-1a: tells nodes of one host apart in names that must be short.
    static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// A setting that cannot be used: flag, value, reason and what to give instead, in one line.
struct SettingError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// One of the node's directories cannot be written.
    init(directory: String, _ error: KernelError) {
        self.init(
            "\(directory) cannot be written: \(error.errno); \(error.remedyForWriting), "
                + "or choose another place with --root, --run or --log-dir")
    }
}
