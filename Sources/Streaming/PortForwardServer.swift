public import NIOCore
internal import Synchronization

/// Runs one port-forward over an upgraded connection: any number of connections into the pod.
public final class PortForwardServer: Sendable {
    private static let queueLimit = 256 << 10

    /// Connects to a port of the pod: a connected stream socket, owned by the caller.
    public typealias Dial = @Sendable (_ port: UInt16) async throws(StreamingError) -> Int32

    private let session: Mutex<PortForwardSession>
    private let queues = Mutex<[PortForwardSession.Connection: ByteQueue]>([:])
    private let budget: ConnectionBudget
    private let dial: Dial

    private init(
        _ session: consuming sending PortForwardSession, _ budget: ConnectionBudget, dial: @escaping Dial
    ) {
        self.session = Mutex(session)
        self.budget = budget
        self.dial = dial
    }

    /// Serves the connection to its end.
    public static func serve(_ channel: ByteChannel, budget: ConnectionBudget, dial: @escaping Dial) async {
        do {
            let server = PortForwardServer(try PortForwardSession(), budget, dial: dial)
            try await channel.executeThenClose { inbound, outbound in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await server.read(inbound, outbound) }
                    group.addTask { await channel.channel.awaitClose() }
                    await group.next()
                    group.cancelAll()
                    server.finishAll()
                }
            }
        } catch { channel.channel.close(promise: nil) }
    }

    private func finishAll() { for queue in queues.withLock({ Array($0.values) }) { queue.finish() } }

    private func read(_ inbound: ByteReader, _ outbound: ByteWriter) async {
        await withDiscardingTaskGroup { group in
            do {
                for try await bytes in inbound {
                    let (events, reply) = try session.withLock { try $0.receive(bytes) }
                    if reply.readableBytes > 0 { try await outbound.write(reply) }
                    for event in events { await take(event, outbound, &group) }
                }
            } catch {}
            finishAll()
            group.cancelAll()
        }
    }

    private func take(
        _ event: PortForwardSession.Event, _ outbound: ByteWriter, _ group: inout DiscardingTaskGroup
    ) async {
        switch event {
        case .connect(let connection, let port):
            let queue = ByteQueue(limit: Self.queueLimit)
            queues.withLock { $0[connection] = queue }
            group.addTask { await self.forward(connection, port, queue, outbound) }
        case .data(let connection, let bytes): await queues.withLock { $0[connection] }?.push(bytes)
        case .inputClosed(let connection): queues.withLock { $0[connection] }?.finish()
        case .reset(let connection): queues.withLock { $0.removeValue(forKey: connection) }?.abort()
        }
    }

    private func forward(
        _ connection: PortForwardSession.Connection, _ port: UInt16, _ queue: ByteQueue, _ outbound: ByteWriter
    ) async {
        var failure: String?
        if budget.take() {
            do throws(StreamingError) {
                let socket = try await dial(port)
                await copy(connection, socket, queue, outbound)
            } catch { failure = error.message }
            budget.giveBack()
        } else {
            failure = "the node forwards as many connections as it can already"
        }
        queue.finish()
        _ = queues.withLock { $0.removeValue(forKey: connection) }
        let end = session.withLock { $0.finish(connection, failure: failure) }
        if end.readableBytes > 0 { try? await outbound.write(end) }
    }

    /// Until the pod's side has ended, or the client has given the connection up.
    private func copy(
        _ connection: PortForwardSession.Connection, _ socket: Int32, _ queue: ByteQueue, _ outbound: ByteWriter
    ) async {
        try? await DescriptorChannel.socket(socket).executeThenClose { inbound, pod in
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    while let bytes = await queue.pop() {
                        do { try await pod.write(bytes) } catch { return true }
                    }
                    pod.finish()
                    return queue.isAborted
                }
                group.addTask {
                    do {
                        for try await bytes in inbound {
                            let encoded = self.session.withLock { $0.send(bytes, on: connection) }
                            if encoded.readableBytes > 0 { try await outbound.write(encoded) }
                        }
                    } catch {}
                    return true
                }
                while let isOver = await group.next(), !isOver {}
                group.cancelAll()
            }
        }
    }
}
