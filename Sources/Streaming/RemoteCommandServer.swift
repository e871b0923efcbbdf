public import NIOCore
internal import Synchronization

/// Runs one exec or attach over an upgraded connection, from its streams to its status.
public final class RemoteCommandServer: Sendable {
    /// For a client to open its streams.
    private static let openingTime = Duration.seconds(30)
    /// For a client to take the end and close.
    private static let lingerTime = Duration.seconds(1)
    /// How long output may be silent after the end before what holds it open is given up.
    private static let drainTime = Duration.milliseconds(500)
    private static let inputLimit = 128 << 10

    private let session: Mutex<RemoteCommandSession>
    private let input = ByteQueue(limit: RemoteCommandServer.inputLimit)
    private let process = Mutex<RemoteProcess?>(nil)
    private let size = Mutex<TerminalSize?>(nil)
    private let ready = AsyncStream<Void>.makeStream()

    private init(_ session: consuming sending RemoteCommandSession) {
        self.session = Mutex(session)
    }

    /// Serves the connection to its end.
    /// - Parameter start: starts the process, or throws why it cannot, in words for the client.
    public static func serve(
        _ channel: ByteChannel, _ request: RemoteCommandRequest, version: RemoteCommandProtocol,
        start: @escaping @Sendable () async throws(StreamingError) -> RemoteProcess
    ) async {
        do {
            let server = RemoteCommandServer(try RemoteCommandSession(request, version: version))
            try await server.run(channel, start)
        } catch { channel.channel.close(promise: nil) }
    }

    private func run(
        _ channel: ByteChannel, _ start: @escaping @Sendable () async throws(StreamingError) -> RemoteProcess
    ) async throws {
        try await channel.executeThenClose { inbound, outbound in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.read(inbound, outbound) }
                group.addTask { await channel.channel.awaitClose() }
                group.addTask {
                    await self.work(outbound, start)
                    await channel.channel.flushWrites()
                    // The client closes: closing first over its unread input could cost it the end of the output.
                    try? await ContinuousClock().sleep(for: Self.lingerTime)
                }
                // The client is gone, or all is done: either ends the rest.
                await group.next()
                group.cancelAll()
            }
        }
    }

    // MARK: From the client

    private func read(_ inbound: ByteReader, _ outbound: ByteWriter) async {
        do {
            try await take(session.withLock { $0.begin() }, outbound)
            for try await bytes in inbound {
                try await take(session.withLock { session in try session.receive(bytes) }, outbound)
            }
        } catch let error as StreamingError {
            for bytes in session.withLock({ $0.finish(.failed(error.message)) }) { try? await outbound.write(bytes) }
        } catch {}
    }

    private func take(
        _ news: (events: [RemoteCommandSession.Event], reply: [ByteBuffer]), _ outbound: ByteWriter
    ) async throws {
        for bytes in news.reply where bytes.readableBytes > 0 { try await outbound.write(bytes) }
        for event in news.events {
            switch event {
            case .ready: ready.continuation.finish()
            case .input(let bytes): await input.push(bytes)
            case .inputClosed: input.finish()
            case .resize(let wanted):
                size.withLock { $0 = wanted }
                process.withLock { $0 }?.resize(wanted)
            }
        }
    }

    // MARK: To the client

    private func work(
        _ outbound: ByteWriter, _ start: @Sendable () async throws(StreamingError) -> RemoteProcess
    ) async {
        guard await isReady() else { return }
        let status: RemoteCommandStatus
        do throws(StreamingError) {
            let started = try await start()
            process.withLock { $0 = started }
            if let size = size.withLock({ $0 }) { started.resize(size) }
            status = await finish(started, outbound)
        } catch { status = .failed(error.message) }
        process.withLock { $0 = nil }
        for bytes in session.withLock({ $0.finish(status) }) { try? await outbound.write(bytes) }
    }

    /// False when the client did not open its streams in time.
    private func isReady() async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in self.ready.stream {}
                return !Task.isCancelled
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: Self.openingTime)
                return false
            }
            let isReady = await group.next() ?? false
            group.cancelAll()
            return isReady
        }
    }

    private func finish(_ process: RemoteProcess, _ outbound: ByteWriter) async -> RemoteCommandStatus {
        await withTaskGroup(of: RemoteCommandStatus?.self) { group in
            let progress = CopyProgress()
            let hasOutput = process.output >= 0 || process.error >= 0
            for (descriptor, output) in [
                (process.output, RemoteCommandSession.Output.standardOutput), (process.error, .standardError),
            ] where descriptor >= 0 {
                progress.begin()
                group.addTask {
                    await self.copy(descriptor, output, progress, outbound)
                    progress.end()
                    return nil
                }
            }
            group.addTask {
                await self.feed(process)
                return nil
            }
            group.addTask {
                let status = await process.wait()
                await progress.drained(silence: Self.drainTime)
                return status
            }
            if hasOutput, let outputEnded = process.outputEnded {
                group.addTask {
                    await progress.ended()
                    return await outputEnded()
                }
            }
            var status = RemoteCommandStatus.failed("the session was ended")
            while let result = await group.next() {
                guard let result else { continue }
                status = result
                break
            }
            group.cancelAll()
            input.finish()
            return status
        }
    }

    private func copy(
        _ descriptor: Int32, _ output: RemoteCommandSession.Output, _ progress: CopyProgress,
        _ outbound: ByteWriter
    ) async {
        // A terminal whose last process has gone answers EIO: the end, as every other error is.
        try? await DescriptorChannel.reader(descriptor).executeThenClose { inbound, _ in
            for try await bytes in inbound {
                progress.arrived()
                let encoded = session.withLock { $0.send(bytes, on: output) }
                if let encoded { try await outbound.write(encoded) }
                progress.passedOn()
            }
        }
    }

    private func feed(_ process: RemoteProcess) async {
        guard process.input >= 0 else { return }
        if let writer = try? await DescriptorChannel.writer(process.input) {
            try? await writer.executeThenClose { _, outbound in
                while let bytes = await input.pop() { try await outbound.write(bytes) }
                // Closed any earlier, it would lose what is on its way.
                await writer.channel.flushWrites()
            }
        }
        if !Task.isCancelled { await process.inputEnded() }
        // A command that closed its input is sent no more of it.
        input.finish()
    }
}
