import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// What a jailed process does, from its first instruction to its last.
struct JailedWork {
    /// As it came from the agent.
    let request: [UInt8]
    /// From the agent come the bytes, to it go questions and the reply.
    let socket: Int32
    /// The mount that becomes its root.
    let tree: Int32

    private static let socketSlot: Int32 = 3
    private static let treeSlot: Int32 = 4

    func run(_ confinement: UnpackConfinement) -> Never {
        // Nobody but the agent may have its end: a copy would keep it open.
        guard let (socket, tree) = arrangeDescriptors() else { _exit(70) }
        let reply: UnpackReply
        do throws(JailDecoder.Failure) {
            let request = try UnpackRequest(decoding: self.request)
            reply = answer(request, socket: socket, tree: tree, confinement)
        } catch {
            reply = .failure(ImageError(.storage, "the request is not one: \(error)"))
        }
        shutdown(socket, Int32(SHUT_RD))
        Self.send(reply.encoded(), to: socket)
        _exit(0)
    }

    private func arrangeDescriptors() -> (socket: Int32, tree: Int32)? {
        let (socket, tree) = (
            CLinux_fcntl_int(self.socket, F_DUPFD_CLOEXEC, 16), CLinux_fcntl_int(self.tree, F_DUPFD_CLOEXEC, 16)
        )
        guard socket >= 0, tree >= 0, dup2(socket, Self.socketSlot) >= 0, dup2(tree, Self.treeSlot) >= 0,
            CLinux_close_range(UInt32(Self.treeSlot + 1), .max, 0) == 0
        else { return nil }
        return (Self.socketSlot, Self.treeSlot)
    }

    private func answer(
        _ request: UnpackRequest, socket: Int32, tree: Int32, _ confinement: UnpackConfinement
    ) -> UnpackReply {
        do throws(KernelError) {
            try confinement.enter(tree: tree, limits: request.limits)
        } catch {
            return .failure(ImageError(.storage, "\(request.subject): its unpacking cannot be confined: \(error)"))
        }
        switch request.work {
        case .attempts: return .attempts(JailAttempt.all())
        case .layer(let diffID, let hasParent):
            let stream = LayerStream(
                blobDigest: nil, blobSizeBytes: nil, diffID: diffID, hasParent: hasParent, limits: request.limits,
                subject: request.subject)
            do throws(ImageError) {
                return .layer(try stream.unpack(SocketByteSource(socket, subject: request.subject), into: "/"))
            } catch {
                return .failure(error)
            }
        case .contents(let sizeBytes):
            do throws(ImageError) {
                let reader = try Self.reader(JailChannel(socket: socket), sizeBytes, request)
                return .contents(
                    try ArchiveContents(reading: reader, limits: request.limits, subject: request.subject))
            } catch {
                return .failure(error)
            }
        case .entries(let sizeBytes):
            do throws(ImageError) {
                try Self.say(JailChannel(socket: socket), sizeBytes, request)
                return .entries
            } catch {
                return .failure(error)
            }
        }
    }

    private static func reader(
        _ channel: JailChannel, _ sizeBytes: Int64, _ request: UnpackRequest
    ) throws(ImageError) -> ArchiveReader {
        let (seconds, subject) = (request.limits.processorSeconds, request.subject)
        let source = RequestedByteSource(channel, sizeBytes: sizeBytes, subject: subject)
        return try ArchiveReader(
            ProcessorTimeLimit(source, seconds: seconds, subject: subject), layout: .compressedTar, subject: subject)
    }

    private static func say(
        _ channel: JailChannel, _ sizeBytes: Int64, _ request: UnpackRequest
    ) throws(ImageError) {
        let subject = request.subject
        let wanted = try storing(subject) { () throws(KernelError) in
            var wanted: Set<Int> = []
            for _ in 0..<(try channel.integer(UInt32.self)) { wanted.insert(Int(try channel.integer(UInt32.self))) }
            return wanted
        }
        let entries = ParsedEntries(try reader(channel, sizeBytes, request), wanted: wanted)
        while let number = try entries.nextEntry() {
            try storing(subject) { () throws(KernelError) in try channel.send(.entry(number)) }
            while true {
                let chunk = try entries.next()
                try storing(subject) { () throws(KernelError) in
                    try channel.send(.data(count: chunk.count))
                    try channel.send(chunk)
                }
                if chunk.isEmpty { break }
            }
        }
    }

    private static func send(_ bytes: [UInt8], to socket: Int32) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                if count < 0, Errno.current == .interrupted { continue }
                // The agent is gone, or wants nothing any more.
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
