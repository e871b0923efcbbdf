import LinuxKernel

/// A seccomp profile: what becomes of each system call, by name.
///
/// Where several rules match one call the strictest decides, whatever their order.
struct SeccompProfile: Hashable, Sendable {
    struct Rule: Hashable, Sendable {
        var names: [String]
        var action: SeccompAction
        /// All of them must hold.
        var conditions: [SeccompCondition] = []
        /// Holds also for the calls that hide behind another (``SeccompArchitecture/MultiplexedCall``).
        var reachesMultiplexed = true
    }

    var defaultAction: SeccompAction
    /// The architectures besides the machine's own whose calls are filtered by the rules. Calls of all others are refused.
    var architectures: Set<SeccompArchitecture>
    var rules: [Rule]
}

/// What the rules of a profile may depend on.
struct SeccompFacts: Hashable, Sendable {
    var capabilities: CapabilitySet
    /// Major and minor version of the kernel.
    var kernel: KernelVersion

    struct KernelVersion: Hashable, Sendable, Comparable {
        var major: Int
        var minor: Int

        init(_ major: Int, _ minor: Int) {
            self.major = major
            self.minor = minor
        }

        /// The numbers at the start of `6.1.0-18-cloud-amd64` or `4.8`.
        init?(_ release: some StringProtocol) {
            let parts = release.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix(while: \.isNumber))
            else {
                return nil
            }
            guard major >= 0, minor >= 0 else { return nil }
            self.init(major, minor)
        }

        static func < (first: Self, second: Self) -> Bool { (first.major, first.minor) < (second.major, second.minor) }
    }
}
