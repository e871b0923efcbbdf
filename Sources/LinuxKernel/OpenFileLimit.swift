import Glibc

/// How many descriptors this process may hold (`RLIMIT_NOFILE`, getrlimit(2)).
public enum OpenFileLimit {
    /// Raises the soft limit to the hard one, which needs no privilege. A shell's soft limit is 1024 for the sake of select(2), which
    /// nothing here calls; and the runtime library of Swift (libdispatch) ends a process that can open nothing at all.
    public static func raise() {
        guard var limit = read() else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// The highest that a process may raise its own limit to; nil where the kernel does not say.
    public static var highest: Int? {
        read().map { Int(clamping: $0.rlim_max) }
    }

    /// How many connections one server of this process may hold: two of them leave half of the descriptors to the pods.
    public static var connections: Int {
        max(16, min(1000, (highest ?? 1024) / 4))
    }

    private static func read() -> rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
