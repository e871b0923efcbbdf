import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// One connection for one question and its answer, with one limit on the time of all of it.
enum ProbeConnection {
    /// Longer ones are cut to this, which the event loop can still count.
    static let maximumTimeout = Duration.seconds(Int32.max)

    /// How far an exchange has come.
    enum Stage: Sendable { case connecting, awaitingAnswer, readingBody }

    enum Failure: Error { case timedOut(Stage), cancelled }

    /// What a timeout needs to know of an exchange that runs on an event loop.
    final class Progress: Sendable {
        private let state = Mutex(Stage.connecting)
        var stage: Stage {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    /// Connects, has `configure` put the question, and waits for its promise.
    ///
    /// - Parameters:
    ///   - timeout: nil means as long as it takes, though not more than two minutes for the connection.
    ///   - configure: called on the event loop once connected; to complete the promise with the answer.
    /// - Throws: ``Failure``, what the connection failed with, or what the promise did.
    static func exchange<Answer: Sendable>(
        with address: ProbeAddress, on group: any EventLoopGroup, timeout: Duration?,
        configure: @escaping @Sendable (any Channel, EventLoopPromise<Answer>, Progress) throws -> Void
    ) async throws -> Answer {
        let loop = group.next()
        let limit = timeout.map { TimeAmount(min(max($0, .zero), maximumTimeout)) }
        let promise = loop.makePromise(of: Answer.self)
        let progress = Progress()
        // Before any await: a cancelled or unlucky exchange is cleaned up by this and the connection's own limit.
        let timer = limit.map {
            loop.scheduleTask(in: $0) { promise.fail(Failure.timedOut(progress.stage)) }
        }
        promise.futureResult.whenComplete { _ in timer?.cancel() }
        let connecting = connect(to: address, on: loop, limit: limit ?? .minutes(2))
        connecting.whenComplete { result in
            switch result {
            case .failure(ChannelError.connectTimeout): promise.fail(Failure.timedOut(.connecting))
            case .failure(let error): promise.fail(error)
            case .success(let channel):
                promise.futureResult.whenComplete { end(channel, after: $0) }
                // Too late: the line above has just closed it.
                guard channel.isActive else { return promise.fail(ChannelError.eof) }
                progress.stage = .awaitingAnswer
                do {
                    try configure(channel, promise, progress)
                    channel.setOption(.autoRead, value: true).whenFailure { promise.fail($0) }
                } catch {
                    promise.fail(error)
                }
            }
        }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(Failure.cancelled)
        }
    }

    private static func connect(
        to address: ProbeAddress, on loop: any EventLoop, limit: TimeAmount
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(limit)
            // A server that speaks first must not be read before there is somebody to listen.
            .channelOption(.autoRead, value: false)
            .channelInitializer { setLinger($0, seconds: 1) }
        if let numeric = try? SocketAddress(ipAddress: address.host, port: address.port) {
            return bootstrap.connect(to: numeric)
        }
        return bootstrap.connect(host: address.host, port: address.port)
    }

    /// Closes, so that probing every second leaves no heap of sockets in TIME_WAIT behind.
    private static func end(_ channel: any Channel, after result: Result<some Sendable, any Error>) {
        // A peer that did not answer may not acknowledge our bytes either, and lingering would then hold up the loop.
        if case .failure = result { setLinger(channel, seconds: 0).whenComplete { _ in } }
        channel.close(promise: nil)
    }

    @discardableResult
    private static func setLinger(_ channel: any Channel, seconds: Int32) -> EventLoopFuture<Void> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        // A socket that refuses the option works all the same.
        return options.setSoLinger(linger(l_onoff: 1, l_linger: seconds)).recover { _ in }
    }
}
