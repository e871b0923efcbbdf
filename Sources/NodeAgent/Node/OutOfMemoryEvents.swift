import Glibc
public import KubernetesAPI
public import KubernetesClient
public import LinuxKernel
public import Logging
import SystemPackage

/// Tells, as an event of the node, when the whole machine ran out of memory and the kernel killed a process: read from the kernel's log
/// as it is written. A container that reaches its own limit is no such case.
public final class OutOfMemoryEvents: Sendable {
    private let loop: EpollLoop
    private let log: OwnedDescriptor
    private let kills: AsyncStream<Kill>
    private let kill: AsyncStream<Kill>.Continuation

    struct Kill: Hashable, Sendable {
        var process: String
        var pid: Int32
    }

    /// Opens the kernel's log at its end. EPERM where it is closed to this process.
    public init() throws(KernelError) {
        log = try OwnedDescriptor.open("/dev/kmsg", O_RDONLY | O_NONBLOCK)
        let raw = log.raw
        try kernelCall("lseek", "/dev/kmsg") { lseek(raw, 0, SEEK_END) }
        loop = try EpollLoop(name: "kernel-log")
        let (stream, continuation) = AsyncStream.makeStream(of: Kill.self, bufferingPolicy: .bufferingNewest(64))
        (kills, kill) = (stream, continuation)
        _ = try loop.add(descriptor: raw, events: EpollEvents.readable) { _ in Self.read(raw, continuation) }
    }

    deinit { loop.stop() }

    /// Works until cancelled.
    public func run(events: EventRecorder, node: @Sendable () -> ObjectReference, logger: Logger) async {
        for await kill in kills {
            logger.warning(
                "the machine ran out of memory", metadata: ["process": "\(kill.process)", "pid": "\(kill.pid)"])
            events.record(
                node(), type: .warning, reason: "SystemOOM",
                message: "System OOM encountered, victim process: \(kill.process), pid: \(kill.pid)")
        }
    }

    /// One record per read; EPIPE says that some were overwritten before they were read.
    private static func read(_ raw: Int32, _ kills: AsyncStream<Kill>.Continuation) {
        var buffer = [UInt8](repeating: 0, count: 8192)
        // A bound, so that a flood leaves the loop its turn: level-triggered, it is called again.
        for _ in 0..<256 {
            let count = Glibc.read(raw, &buffer, buffer.count)
            if count < 0 {
                if Errno.current == .brokenPipe { continue }
                return
            }
            if count == 0 { return }
            if let kill = parse(String(decoding: buffer[..<count], as: UTF8.self)) { kills.yield(kill) }
        }
    }

    /// `3,1234,5678,-;Out of memory: Killed process 42 (stress) total-vm:…`
    static func parse(_ record: String) -> Kill? {
        guard let start = record.firstIndex(of: ";") else { return nil }
        let text = record[record.index(after: start)...]
        let prefix = "Out of memory: Killed process "
        guard text.hasPrefix(prefix) else { return nil }
        let rest = text.dropFirst(prefix.count)
        // The name is anything in parentheses, up to the last one before the figures.
        let line = rest.prefix { $0 != "\n" }
        guard let pid = Int32(line.prefix { $0 != " " }), let open = line.firstIndex(of: "("),
            let end = line.range(ofLast: ") total-vm") ?? line.lastIndex(of: ")"), open < end
        else { return nil }
        return Kill(process: String(line[line.index(after: open)..<end]), pid: pid)
    }
}

extension Substring {
    /// Where the last occurrence of a text begins.
    fileprivate func range(ofLast text: String) -> Index? {
        var found: Index?
        var position = startIndex
        while position < endIndex {
            if self[position...].hasPrefix(text) { found = position }
            position = index(after: position)
        }
        return found
    }
}
