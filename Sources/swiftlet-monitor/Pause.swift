import CLinux

/// The first process of a PID namespace that a pod's containers share. It does nothing but be there: what it would have to
/// reap the kernel reaps, as it ignores SIGCHLD, and signals from inside the pod do not reach a first process that handles none.
enum Pause {
    static func hold() -> Never {
        // No container of the pod may look into it: it was the host's program a moment ago.
        _ = CLinux_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        CLinux_signal_ignore(SIGCHLD)
        while true { pause() }
    }
}
