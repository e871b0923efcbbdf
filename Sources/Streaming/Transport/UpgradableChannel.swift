public import HummingbirdCore
public import Logging
public import NIOCore
internal import NIOHTTP1

/// Serves requests for another protocol.
public protocol UpgradeResponder: Sendable {
    /// Answers through the exchange, and returns when the session that came of it is over.
    func respond(to request: UpgradeRequest, _ exchange: UpgradeExchange) async
}

/// An HTTP/1.1 connection whose first request may ask for SPDY or a WebSocket; every other is served as usual.
///
/// An upgrade is only possible on a connection of its own, as all clients of Kubernetes have it.
public struct UpgradableChannel: ServerChildChannel {
    public struct Value: ServerChildChannelValue {
        public let channel: any Channel
        let first: EventLoopFuture<UpgradeGate.Kind>
    }

    private let http: HTTP1Channel
    private let responder: any UpgradeResponder

    public init(http: HTTP1Channel, responder: any UpgradeResponder) {
        self.http = http
        self.responder = responder
    }

    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let first = channel.eventLoop.makePromise(of: UpgradeGate.Kind.self)
            try channel.pipeline.syncOperations.addHandler(UpgradeGate(first: first))
            return Value(channel: channel, first: first.futureResult)
        }
    }

    public func handle(value: Value, logger: Logger) async {
        let channel = value.channel
        let kind = await withTaskCancellationHandler {
            try? await value.first.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        switch kind {
        case .ordinary: await serve(channel, logger)
        case .upgrade: await upgrade(channel)
        case nil: channel.close(promise: nil)
        }
    }

    private func serve(_ channel: any Channel, _ logger: Logger) async {
        do {
            let http = http
            let value = try await channel.eventLoop.flatSubmit {
                http.setup(channel: channel, logger: logger).flatMap { value in
                    Self.openGate(of: channel).map { value }
                }
            }.get()
            await http.handle(value: value, logger: logger)
        } catch { channel.close(promise: nil) }
    }

    private func upgrade(_ channel: any Channel) async {
        do {
            let limits = http.configuration.httpDecoder
            let head = try await channel.eventLoop.flatSubmit { () -> EventLoopFuture<HTTPRequestHead> in
                let head = channel.eventLoop.makePromise(of: HTTPRequestHead.self)
                do {
                    var limit = NIOHTTPDecoderLimitConfiguration()
                    limit.maxHeaderFieldSize = limits.maxHeaderFieldSize
                    limit.maxHeaderListSize = limits.maxHeaderListSize
                    limit.maxHeaderFieldCount = limits.maxHeaderFieldCount
                    let decoder = ByteToMessageHandler(
                        HTTPRequestDecoder(
                            leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
                            limitConfiguration: limit))
                    try channel.pipeline.syncOperations.addHandlers([
                        HTTPResponseEncoder(), decoder, RequestHeadCollector(head: head),
                    ])
                } catch { head.fail(error) }
                return Self.openGate(of: channel).flatMap { head.futureResult }
            }.get()
            let request = UpgradeRequest(method: head.method.rawValue, target: head.uri, headers: head.headers)
            let exchange = UpgradeExchange(channel: channel)
            guard head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }) else {
                return await exchange.refuse(status: 400, "the header Upgrade needs Connection: Upgrade")
            }
            await responder.respond(to: request, exchange)
        } catch {}
        channel.close(promise: nil)
    }

    private static func openGate(of channel: any Channel) -> EventLoopFuture<Void> {
        do {
            let pipeline = channel.pipeline.syncOperations
            return pipeline.removeHandler(try pipeline.handler(type: UpgradeGate.self))
        } catch { return channel.eventLoop.makeFailedFuture(error) }
    }
}
