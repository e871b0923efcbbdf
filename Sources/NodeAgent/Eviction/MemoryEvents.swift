import CLinux
import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// The kernel's ways of saying that memory gets short, so that nobody has to look all the time: stalls of the whole machine (PSI), and
/// on v1 a threshold of what the pods use together.
final class MemoryEvents: Sendable {
    private let loop: EpollLoop
    private let handler: @Sendable () -> Void
    private let stalls: Registration?
    private let usage = Mutex<Usage?>(nil)

    /// A descriptor and its place in the loop.
    private final class Registration: Sendable {
        private let descriptor: OwnedDescriptor
        private let token: EpollToken
        private let loop: EpollLoop

        init(
            _ descriptor: consuming OwnedDescriptor, events: UInt32, in loop: EpollLoop,
            handler: @escaping @Sendable (UInt32) -> Void
        ) throws(KernelError) {
            token = try loop.add(descriptor: descriptor.raw, events: events, handler: handler)
            self.descriptor = descriptor
            self.loop = loop
        }

        deinit { loop.remove(token) }
    }

    /// A threshold in the v1 memory controller. It is over with its descriptor.
    private struct Usage {
        let registration: Registration
        let threshold: Int64
    }

    /// A threshold nearer to the last one than this is left as it is.
    private static let tolerance: Int64 = 16 << 20

    /// - Parameter handler: called on a thread that must not be blocked.
    init(handler: @escaping @Sendable () -> Void) throws(KernelError) {
        let loop = try EpollLoop(name: "memory-events")
        self.loop = loop
        self.handler = handler
        stalls = Self.watchStalls(in: loop, handler)
    }

    /// Whether the kernel tells of stalls.
    var hasStalls: Bool { stalls != nil }

    /// Tasks that waited for memory for 150 ms within 2 s, all taken together. A window of whole multiples of 2 s needs no
    /// privilege; kernels that ask for one all the same (before 6.5) are not asked again.
    private static func watchStalls(in loop: EpollLoop, _ handler: @escaping @Sendable () -> Void) -> Registration? {
        guard let file = try? OwnedDescriptor.open("/proc/pressure/memory", O_RDWR | O_NONBLOCK),
            (try? file.writeAll(Array("some 150000 2000000".utf8) + [0])) != nil
        else { return nil }
        return try? Registration(file, events: EpollEvents.priority, in: loop) { events in
            if events & EpollEvents.priority != 0 { handler() }
        }
    }

    /// Asks to be told when a v1 cgroup uses so much. A cgroup that is not there is nothing to wait for.
    ///
    /// - Parameter eventControl: path of the cgroup's `cgroup.event_control` in the memory hierarchy.
    func watchUsage(eventControl: String, above threshold: Int64) {
        let isNear = usage.withLock { usage in
            usage.map { abs($0.threshold - threshold) < Self.tolerance } ?? false
        }
        if isNear { return }
        let registration = try? register(eventControl, threshold)
        let old = usage.withLock { usage in
            defer { usage = registration.map { Usage(registration: $0, threshold: threshold) } }
            return usage
        }
        withExtendedLifetime(old) {}
    }

    private func register(_ eventControl: String, _ threshold: Int64) throws(KernelError) -> Registration {
        let event = OwnedDescriptor(
            owning: try kernelCall("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
        let counter = try OwnedDescriptor.open(
            FilePath(eventControl).removingLastComponent().string + "/memory.usage_in_bytes", O_RDONLY)
        try FileSystem.writeKernelFile(eventControl, "\(event.raw) \(counter.raw) \(threshold)")
        let raw = event.raw
        let handler = handler
        return try Registration(event, events: EpollEvents.readable, in: loop) { _ in
            var count: UInt64 = 0
            _ = read(raw, &count, 8)
            handler()
        }
    }
}
