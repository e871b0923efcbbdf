import CLinux
import Glibc
import SystemPackage

/// A NETLINK_ROUTE socket: links, addresses and routes of the network namespace in which it was opened, whatever
/// namespace the thread that uses it is in. Calls block for as long as the kernel's configuration lock is held: keep
/// them off the cooperative pool.
public struct NetlinkSocket: ~Copyable, Sendable {
    /// A dump that changed under way is asked for again; after this many times something is wrong.
    private static let dumpAttempts = 16
    /// More than the largest datagram a dump is made of (32 KiB).
    private static let receiveCapacity = 64 << 10

    private let descriptor: OwnedDescriptor
    private var sequence: UInt32 = 0

    /// A socket in the calling thread's namespace.
    public init() throws(KernelError) {
        try self.init(owning: Self.openDescriptor())
    }

    /// A socket in the namespace whose file (a bind mount, /proc/<pid>/ns/net) is at `path`. The calling thread stays
    /// where it is.
    public init(inNamespace path: String) throws(KernelError) {
        let raw = try NetworkNamespace.withinNamespace(path) { () throws(KernelError) -> Int32 in
            try Self.openDescriptor().release()
        }
        try self.init(owning: OwnedDescriptor(owning: raw))
    }

    private init(owning descriptor: consuming OwnedDescriptor) throws(KernelError) {
        let raw = descriptor.raw
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] {
            // Each makes answers better or cheaper and is newer than some kernel in use (4.12, 4.3, 4.20): not having
            // it is fine.
            var on: Int32 = 1
            setsockopt(raw, SOL_NETLINK, option, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        // The kernel answers within the send; a lost answer must not hang the agent.
        try SocketTimeout.set(raw, .receiving, seconds: 10)
        self.descriptor = descriptor
    }

    private static func openDescriptor() throws(KernelError) -> OwnedDescriptor {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let raw = try kernelCall("open netlink socket") { Glibc.socket(AF_NETLINK, type, NETLINK_ROUTE) }
        return OwnedDescriptor(owning: raw)
    }

    /// Sends the requests in one datagram and waits for the verdict on each. The kernel carries them out in order and
    /// does not stop at one that fails; the first failure that the request does not tolerate is thrown.
    public mutating func perform(_ requests: NetlinkRequest...) throws(KernelError) {
        try perform(requests)
    }

    /// As ``perform(_:)-(NetlinkRequest...)``, for a list of requests.
    public mutating func perform(_ requests: [NetlinkRequest]) throws(KernelError) {
        guard let first = requests.first else { return }
        let firstSequence = sequence &+ 1
        var datagram: [UInt8] = []
        for request in requests {
            guard !request.isOversized else {
                throw KernelError(request.operation, request.subject, errno: .messageTooLong)
            }
            datagram += stamped(request)
        }
        try send(datagram, for: first)
        var firstError: KernelError?
        var answered = 0
        while answered < requests.count {
            for message in try receive(for: first) {
                let position = Int(message.sequence &- firstSequence)
                guard Int32(message.type) == NLMSG_ERROR, position < requests.count else { continue }
                answered += 1
                let request = requests[position]
                guard let (errno, text) = try message.verdict(), !request.tolerated.contains(errno) else { continue }
                firstError = firstError ?? Self.error(request, errno, text)
            }
        }
        if let firstError { throw firstError }
    }

    /// The bodies of the objects that a get request names; with NLM_F_DUMP, of all of them. `nil` when the kernel says
    /// that there is none and the request tolerates that.
    mutating func query(_ request: NetlinkRequest) throws(KernelError) -> [ArraySlice<UInt8>]? {
        for _ in 0..<Self.dumpAttempts {
            try send(stamped(request), for: request)
            switch try collect(for: request) {
            case .objects(let bodies): return bodies
            case .absent: return nil
            case .interrupted: continue
            }
        }
        throw KernelError(request.operation, request.subject, errno: .interrupted)
    }

    private enum Reply {
        case objects([ArraySlice<UInt8>])
        case absent
        case interrupted
    }

    private mutating func collect(for request: NetlinkRequest) throws(KernelError) -> Reply {
        var bodies: [ArraySlice<UInt8>] = []
        var wasInterrupted = false
        while true {
            for message in try receive(for: request) where message.sequence == sequence {
                if Int32(message.flags) & NLM_F_DUMP_INTR != 0 { wasInterrupted = true }
                switch Int32(message.type) {
                case NLMSG_DONE:
                    return wasInterrupted ? .interrupted : .objects(bodies)
                case NLMSG_ERROR:
                    guard let (errno, text) = try message.verdict() else { return .objects(bodies) }
                    if request.tolerated.contains(errno) { return .absent }
                    throw Self.error(request, errno, text)
                case NLMSG_NOOP:
                    continue
                default:
                    bodies.append(message.payload)
                    if Int32(message.flags) & NLM_F_MULTI == 0 { return .objects(bodies) }
                }
            }
        }
    }

    private mutating func stamped(_ request: NetlinkRequest) -> [UInt8] {
        sequence &+= 1
        var bytes = request.bytes
        let offset = NetlinkMessage.sequenceOffset
        withUnsafeBytes(of: sequence) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
        return bytes
    }

    private func send(_ datagram: [UInt8], for request: NetlinkRequest) throws(KernelError) {
        // No destination address means port 0: the kernel.
        let sent = try kernelCall(request.operation, request.subject) {
            Glibc.send(descriptor.raw, datagram, datagram.count, 0)
        }
        guard sent == datagram.count else {
            throw KernelError(request.operation, request.subject, errno: .messageTooLong)
        }
    }

    private func receive(for request: NetlinkRequest) throws(KernelError) -> [NetlinkMessage] {
        while true {
            var port: UInt32 = 0
            var outcome: Result<Int, KernelError> = .success(0)
            // Not zeroed: an answer is mostly 20 bytes of it.
            let datagram = [UInt8](unsafeUninitializedCapacity: Self.receiveCapacity) { buffer, count in
                outcome = Result { () throws(KernelError) in
                    try kernelCall(request.operation, request.subject) {
                        CLinux_netlink_receive(descriptor.raw, buffer.baseAddress, buffer.count, &port)
                    }
                }
                if case .success(let length) = outcome { count = min(length, buffer.count) }
            }
            guard try outcome.get() <= datagram.count else {
                throw KernelError(request.operation, request.subject, errno: .messageTooLong)
            }
            // Any process may send to a netlink port; only the kernel's word counts.
            if port == 0 { return try NetlinkMessage.parse(datagram[...]) }
        }
    }

    private static func error(_ request: NetlinkRequest, _ errno: Errno, _ text: String?) -> KernelError {
        guard let text else { return KernelError(request.operation, request.subject, errno: errno) }
        return KernelError("\(request.operation) (\(text))", request.subject, errno: errno)
    }
}
