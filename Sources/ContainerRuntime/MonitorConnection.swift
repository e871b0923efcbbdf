import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// The agent's end of the socket to one container's monitor. Its closing means that the monitor is gone.
final class MonitorConnection: Sendable {
    enum Notification: Sendable {
        case event(MonitorEvent)
        case closed
    }

    /// Shared with the handler, which may still be reading on the loop's thread when the connection goes: closed any earlier, its
    /// number would be the next container's socket, and that one's news would be taken for this one's.
    private final class Socket: Sendable {
        let descriptor: OwnedDescriptor

        init(_ descriptor: consuming OwnedDescriptor) {
            self.descriptor = descriptor
        }
    }

    private let socket: Socket
    private let loop: EpollLoop
    private let token: EpollToken

    /// `handler` runs on the loop's thread, in the order in which the monitor spoke; `closed` comes last.
    init(
        _ socket: consuming OwnedDescriptor, loop: EpollLoop, handler: @escaping @Sendable (Notification) -> Void
    ) throws(KernelError) {
        let socket = Socket(socket)
        self.loop = loop
        self.socket = socket
        token = try loop.add(
            descriptor: socket.descriptor.raw, events: EpollEvents.readable | EpollEvents.edgeTriggered
        ) { _ in
            MonitorConnection.readAll(socket.descriptor.raw, handler)
        }
    }

    deinit { loop.remove(token) }

    private static func readAll(_ socket: Int32, _ handler: (Notification) -> Void) {
        var bytes = [UInt8](repeating: 0, count: 256)
        while true {
            let count = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
            if count > 0 {
                // A packet that is no event comes from a monitor of another version: its exit record still counts.
                if let event = try? MonitorEvent(decoding: Array(bytes[0..<count])) { handler(.event(event)) }
            } else if count < 0, Errno.current == .interrupted {
                continue
            } else if count < 0, Errno.current == .wouldBlock || Errno.current == .resourceTemporarilyUnavailable {
                return
            } else {
                handler(.closed)
                return
            }
        }
    }

    /// Stops listening; no handler call begins afterwards.
    func stop() { loop.remove(token) }

    func send(_ request: MonitorRequest, descriptors: [Int32] = []) throws(KernelError) {
        let bytes = request.encoded()
        try kernelCall("send to the monitor") {
            CLinux_send_descriptors(
                socket.descriptor.raw, bytes, bytes.count, descriptors, Int32(descriptors.count), Int32(MSG_DONTWAIT))
        }
    }
}
