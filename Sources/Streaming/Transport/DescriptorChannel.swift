internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Pipes, sockets and terminals of a process as channels.
enum DescriptorChannel {
    private static let group = MultiThreadedEventLoopGroup.singleton

    /// Takes the descriptor over, for reading.
    static func reader(_ descriptor: Int32) async throws -> ByteChannel {
        try await owning(descriptor) {
            try await NIOPipeBootstrap(group: group).takingOwnershipOfDescriptor(input: descriptor) { wrap($0) }
        }
    }

    /// Takes the descriptor over, for writing.
    static func writer(_ descriptor: Int32) async throws -> ByteChannel {
        try await owning(descriptor) {
            try await NIOPipeBootstrap(group: group).takingOwnershipOfDescriptor(output: descriptor) { wrap($0) }
        }
    }

    /// Takes a connected stream socket over.
    static func socket(_ descriptor: Int32) async throws -> ByteChannel {
        try await owning(descriptor) {
            try await ClientBootstrap(group: group).channelOption(.allowRemoteHalfClosure, value: true)
                .withConnectedSocket(descriptor) { wrap($0) }
        }
    }

    /// A descriptor that no channel took is still ours to close.
    private static func owning(_ descriptor: Int32, _ make: () async throws -> ByteChannel) async throws -> ByteChannel
    {
        do { return try await make() } catch {
            close(descriptor)
            throw error
        }
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
