import CLinux
import MonitorCoreEmbedded

/// A packet from an agent, with the descriptors that came along; whoever takes it closes them.
struct Packet {
    let request: MonitorRequest
    let descriptors: [Int32]
}

/// The agents connected to this monitor: the one that created the container, and any that came back after a restart.
struct AgentConnections: ~Copyable {
    static let limit = 8

    private let listener: Int32
    private(set) var sockets: [Int32]
    /// The connection the container's life hangs on until it is released.
    private(set) var creator: Int32
    /// Those that are gone, until they are taken: their numbers may be given to others.
    private var lost: [Int32] = []

    init(listener: Int32, creator: Int32) {
        self.listener = listener
        self.creator = creator
        sockets = [creator]
    }

    /// Takes a new connection in and tells it where things stand.
    mutating func accept(current event: MonitorEvent) {
        let socket = CLinux_accept(listener)
        if socket < 0 { return }
        if sockets.count >= AgentConnections.limit {
            close(socket)
            return
        }
        sockets.append(socket)
        send(event.encoded(), to: socket)
    }

    mutating func broadcast(_ event: MonitorEvent) {
        let bytes = event.encoded()
        for socket in sockets { send(bytes, to: socket) }
    }

    /// Never blocks: an agent that does not read is dropped, and learns the state when it connects again.
    private mutating func send(_ bytes: [UInt8], to socket: Int32) {
        if CLinux_send_descriptors(socket, bytes, bytes.count, nil, 0, Int32(MSG_DONTWAIT)) < 0 { drop(socket) }
    }

    /// The connections that were dropped since the last call.
    mutating func takeLost() -> [Int32] {
        let taken = lost
        lost = []
        return taken
    }

    mutating func drop(_ socket: Int32) {
        guard let index = sockets.firstIndex(of: socket) else { return }
        sockets.remove(at: index)
        lost.append(socket)
        if socket == creator { creator = -1 }
        close(socket)
    }

    /// The next packet of a readable connection; nil when it closed or sent what is no request, and was dropped.
    mutating func receive(from socket: Int32) -> Packet? {
        var bytes = [UInt8](repeating: 0, count: 256)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MAX_PASSED_DESCRIPTORS))
        var count: Int32 = 0
        let length = bytes.withUnsafeMutableBytes {
            CLinux_receive_descriptors(socket, $0.baseAddress, $0.count, &descriptors, &count, Int32(MSG_DONTWAIT))
        }
        if length > 0 {
            let passed = [Int32](descriptors[0..<Int(count)])
            do {
                return Packet(request: try MonitorRequest(decoding: [UInt8](bytes[0..<length])), descriptors: passed)
            } catch {
                for descriptor in passed { close(descriptor) }
            }
        } else if length < 0, CLinux_errno() == EAGAIN || CLinux_errno() == EINTR {
            return nil
        }
        drop(socket)
        return nil
    }
}
