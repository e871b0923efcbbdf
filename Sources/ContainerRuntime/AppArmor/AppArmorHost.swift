import LinuxKernel

/// What a host can do with AppArmor profiles, as found when the node started.
public struct AppArmorHost: Hashable, Sendable {
    /// The kernel enforces profiles.
    public var isEnabled: Bool
    /// Why there is no ``AppArmorDefaultProfile``; nil when it is loaded. Without AppArmor it says nothing.
    public var defaultProfileProblem: String?

    public init(isEnabled: Bool = false, defaultProfileProblem: String? = nil) {
        self.isEnabled = isEnabled
        self.defaultProfileProblem = defaultProfileProblem
    }

    private static let switchFile = "/sys/module/apparmor/parameters/enabled"
    private static let profilesFile = "/sys/kernel/security/apparmor/profiles"

    /// Whether this host's kernel has it on; decided at boot.
    public static var isEnabledHere: Bool { (try? FileSystem.readText(switchFile, limit: 16))?.first == "Y" }

    /// Whether profiles can be loaded here.
    public static var hasParser: Bool { AppArmorParser.program != nil }

    /// Finds out, and loads the default profile. Blocks for as long as the parser takes.
    ///
    /// - Parameter directory: of the agent's own, for the profile's text.
    public static func prepare(directory: String) -> AppArmorHost {
        guard isEnabledHere else { return AppArmorHost() }
        do throws(KernelError) {
            let problem = try AppArmorParser.load(
                AppArmorDefaultProfile.text, file: directory + "/" + AppArmorDefaultProfile.name)
            return AppArmorHost(isEnabled: true, defaultProfileProblem: problem)
        } catch { return AppArmorHost(isEnabled: true, defaultProfileProblem: "\(error)") }
    }

    /// Names of the profiles that the kernel has now; empty when it does not show them.
    public static func loadedProfiles() -> Set<String> {
        names(in: (try? FileSystem.readText(profilesFile, limit: 16 << 20)) ?? "")
    }

    /// A line each: the name, which may hold spaces, and the mode in parentheses.
    static func names(in text: String) -> Set<String> {
        Set(
            text.split(separator: "\n").compactMap { line in
                guard line.hasSuffix(")"), let mode = line.lastIndex(of: "("), mode > line.startIndex else {
                    return nil
                }
                return String(line[..<line.index(before: mode)])
            })
    }
}
