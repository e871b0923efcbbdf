internal import KubernetesAPI
internal import LinuxKernel
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Streaming
internal import Synchronization

/// Writes requests down beside the requests: they wait in a bounded queue for a task that takes all that have come at once. What does not
/// fit is counted and told, for a request is never held up by its record.
final class AuditLog: Sendable {
    /// Events that wait.
    static let queueLimit = 2048

    private struct Queue {
        var events: [AuditEvent] = []
        var lost: UInt64 = 0
    }

    let level: AuditLevel
    private let queue = Mutex(Queue())
    private let wake = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    private let file: Mutex<AuditFile>
    private let logger: Logger

    init(_ configuration: AuditConfiguration, logger: Logger) {
        level = configuration.level
        file = Mutex(AuditFile(configuration))
        self.logger = logger
    }

    func record(_ event: AuditEvent) {
        queue.withLock { queue in
            guard queue.events.count < Self.queueLimit else {
                queue.lost += 1
                return
            }
            queue.events.append(event)
        }
        wake.continuation.yield()
    }

    /// Writes until the task is cancelled, and then what is there.
    func run() async {
        var hasFailed = false
        for await _ in wake.stream { await write(&hasFailed) }
        await write(&hasFailed)
    }

    private func write(_ hasFailed: inout Bool) async {
        let (events, lost) = queue.withLock { queue in
            defer { queue = Queue() }
            return (queue.events, queue.lost)
        }
        if lost > 0 { logger.warning("audit events are lost: too many at once", metadata: ["count": "\(lost)"]) }
        guard !events.isEmpty else { return }
        let write = { @Sendable () throws(KernelError) in
            try self.file.withLock { file throws(KernelError) in try file.append(events.map { $0.json() }) }
        }
        do throws(KernelError) {
            try await KernelThreadPool.shared.run(write)
            hasFailed = false
        } catch {
            // Once for each time that it begins to fail.
            if !hasFailed { logger.warning("audit log cannot be written", metadata: ["reason": "\(error)"]) }
            hasFailed = true
        }
    }
}

extension AuditLog {
    /// Asked by machines every few seconds, and never of interest to anybody later.
    private static let unrecorded: Set<String> = ["healthz", "livez", "readyz"]

    func record(
        _ call: APIRequest, target: String, identity: Identity?, source: String, _ answer: APIResponse,
        received: Timestamp
    ) {
        if let first = call.path.split(separator: "/").first, Self.unrecorded.contains(String(first)) { return }
        let stage: AuditEvent.Stage
        switch answer.body {
        case .bytes: stage = .responseComplete
        case .stream: stage = .responseStarted
        }
        var event = AuditEvent(
            level: level, stage: stage, method: call.method, target: target, identity: identity, source: source,
            userAgent: call.userAgent, status: answer.status, received: received, answered: .now())
        // A larger one is not kept in memory while it waits.
        if level == .request {
            event.hasLargeBody = call.body.readableBytes > AuditEvent.bodyLimit
            if !event.hasLargeBody { event.body = call.body }
        }
        record(event)
    }

    /// A session in a pod, before it begins.
    func record(_ request: UpgradeRequest, identity: Identity?, source: String, status: Int) {
        let now = Timestamp.now()
        record(
            AuditEvent(
                level: level, stage: status == 101 ? .responseStarted : .responseComplete, method: request.method,
                target: request.target, identity: identity, source: source,
                userAgent: request.headers["user-agent"].first ?? "", status: status, received: now, answered: now))
    }
}
