internal import NIOCore
internal import NIOPosix

/// Pipes, sockets and terminals of a process as channels.
enum DescriptorChannel {
    private static let group = MultiThreadedEventLoopGroup.singleton

    /// Takes the descriptor over, for reading.
    static func reader(_ descriptor: Int32) async throws -> ByteChannel {
        try await NIOPipeBootstrap(group: group).takingOwnershipOfDescriptor(input: descriptor) { channel in
            wrap(channel)
        }
    }

    /// Takes the descriptor over, for writing.
    static func writer(_ descriptor: Int32) async throws -> ByteChannel {
        try await NIOPipeBootstrap(group: group).takingOwnershipOfDescriptor(output: descriptor) { channel in
            wrap(channel)
        }
    }

    /// Takes a connected stream socket over.
    static func socket(_ descriptor: Int32) async throws -> ByteChannel {
        try await ClientBootstrap(group: group).channelOption(.allowRemoteHalfClosure, value: true)
            .withConnectedSocket(descriptor) { channel in wrap(channel) }
    }

    private static func wrap(_ channel: any Channel) -> EventLoopFuture<ByteChannel> {
        channel.eventLoop.makeCompletedFuture {
            try ByteChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(
                    backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4), isOutboundHalfClosureEnabled: true))
        }
    }
}
