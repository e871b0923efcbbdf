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

    private let socket: OwnedDescriptor
    private let loop: EpollLoop
    private let token: EpollToken

    /// `handler` runs on the loop's thread, in the order in which the monitor spoke; `closed` comes last.
    init(
        _ socket: consuming OwnedDescriptor, loop: EpollLoop, handler: @escaping @Sendable (Notification) -> Void
    ) throws(KernelError) {
        let raw = socket.raw
        self.loop = loop
        token = try loop.add(descriptor: raw, events: EpollEvents.readable | EpollEvents.edgeTriggered) { _ in
            MonitorConnection.readAll(raw, handler)
        }
        self.socket = socket
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
                socket.raw, bytes, bytes.count, descriptors, Int32(descriptors.count), Int32(MSG_DONTWAIT))
        }
    }
}
