/// Where a v1 host announces memory exhaustion: an eventfd is registered by writing `<eventfd> <oom_control fd>` to
/// `eventControl`. It fires before the kill and when the cgroup is removed.
public struct CgroupOOMEventControl: Hashable, Sendable {
    /// Path of `cgroup.event_control`.
    public let eventControl: String
    /// Path of `memory.oom_control`.
    public let oomControl: String
}

extension CgroupManager {
    /// A file with a line `oom_kill N`, the number of processes killed for lack of memory: `memory.events` on v2, which
    /// changes are notified for; `memory.oom_control` on v1. `nil` when the host has no memory controller.
    public func oomEventsFile(_ path: String) throws(KernelError) -> String? {
        guard let carrier = carrier(of: .memory) else { return nil }
        return try carrier.mount + resolve(path) + (carrier.unified ? "/memory.events" : "/memory.oom_control")
    }

    /// The v1 way to be told of it; `nil` where the memory controller is on v2.
    public func oomEventControl(_ path: String) throws(KernelError) -> CgroupOOMEventControl? {
        guard let carrier = carrier(of: .memory), !carrier.unified else { return nil }
        let directory = try carrier.mount + resolve(path)
        return CgroupOOMEventControl(
            eventControl: directory + "/cgroup.event_control", oomControl: directory + "/memory.oom_control")
    }

    /// `cgroup.events`, whose change (inotify, poll for POLLPRI) says that the cgroup got empty or populated; `nil` on
    /// v1.
    public func eventsFile(_ path: String) throws(KernelError) -> String? {
        guard let unified = hierarchies.unified else { return nil }
        return try unified + resolve(path) + "/cgroup.events"
    }
}
