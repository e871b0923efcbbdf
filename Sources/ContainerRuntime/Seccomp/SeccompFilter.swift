import Glibc
import LinuxKernel
import Synchronization

/// Filters for containers, each compiled once. They reach a container as bytes: no library of ours is ever loaded inside one.
enum SeccompFilter {
    private enum Key: Hashable {
        case runtimeDefault(capabilities: UInt64, familiesAreGuarded: Bool)
        /// By content: a file that was changed is another profile, and one that is back is known.
        case document([UInt8], SeccompFacts)
    }

    /// Programs are some KiB, profiles at most one MiB.
    private static let cacheLimit = 32
    private static let cache = Mutex<[Key: [UInt8]]>([:])

    /// The filter of a container with these capabilities.
    static func runtimeDefault(
        _ capabilities: CapabilitySet, familiesAreGuarded: Bool = false
    ) throws(RuntimeError) -> [UInt8] {
        // Only what the profile looks at.
        let relevant = SeccompSyscalls.byCapability.reduce(UInt64(0)) { mask, entry in
            capabilities.contains(entry.capability) ? mask | 1 << UInt64(entry.capability.rawValue) : mask
        }
        let key = Key.runtimeDefault(capabilities: relevant, familiesAreGuarded: familiesAreGuarded)
        do throws(SeccompProfileError) {
            return try cached(key) { () throws(SeccompProfileError) in
                SeccompProfile.runtimeDefault(capabilities, familiesAreGuarded: familiesAreGuarded)
            }
        } catch { throw RuntimeError(.kernel, "seccomp profile RuntimeDefault: \(error)") }
    }

    /// The filter of a profile of the administrator's, read at every start of a container.
    static func localhost(
        _ name: String, in directory: SeccompProfileDirectory, _ capabilities: CapabilitySet
    ) throws(RuntimeError) -> [UInt8] {
        let bytes = try directory.read(name)
        let facts = SeccompFacts(capabilities: capabilities, kernel: kernel)
        do throws(SeccompProfileError) {
            return try cached(.document(bytes, facts)) { () throws(SeccompProfileError) in
                try SeccompProfile(decoding: bytes, facts)
            }
        } catch { throw SeccompProfileDirectory.failure(name, error.description) }
    }

    private static func cached(
        _ key: Key, _ profile: () throws(SeccompProfileError) -> SeccompProfile
    ) throws(SeccompProfileError) -> [UInt8] {
        if let filter = cache.withLock({ $0[key] }) { return filter }
        let filter = try SeccompCompiler.compile(try profile()).bytes
        cache.withLock { cache in
            // A node has a few: more of them than this come from a file that keeps changing.
            if cache.count >= cacheLimit { cache.removeAll() }
            cache[key] = filter
        }
        return filter
    }

    private static let kernel: SeccompFacts.KernelVersion = {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return SeccompFacts.KernelVersion(release) ?? SeccompFacts.KernelVersion(0, 0)
    }()
}
