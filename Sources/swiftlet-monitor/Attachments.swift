import CLinux
import MonitorCoreEmbedded

/// Those who see what the container writes, as it writes it. The log is the record: it never waits for them, and neither does the
/// container. Who does not keep up with what the kernel buffers (some 200 KiB) is let go, rather than shown output with holes.
struct Attachments: ~Copyable {
    static let limit = 16

    private var sockets: [(output: Int32, error: Int32)] = []

    /// What to watch for hang-ups.
    var outputs: [Int32] { sockets.map { $0.output } }

    /// Takes copies of the descriptors; false when there are too many already.
    mutating func add(output: Int32, error: Int32) -> Bool {
        guard sockets.count < Attachments.limit else { return false }
        let copy = CLinux_fcntl_int(output, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { return false }
        sockets.append((copy, error < 0 ? -1 : CLinux_fcntl_int(error, F_DUPFD_CLOEXEC, 0)))
        return true
    }

    mutating func send(_ bytes: ArraySlice<UInt8>, isError: Bool) {
        var index = 0
        while index < sockets.count {
            let socket = isError ? sockets[index].error : sockets[index].output
            if socket < 0 {
                index += 1
                continue
            }
            let count = bytes.withUnsafeBytes {
                CLinux_send_descriptors(socket, $0.baseAddress, $0.count, nil, 0, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count == bytes.count { index += 1 } else { remove(at: index) }
        }
    }

    mutating func hungUp(_ output: Int32) {
        if let index = sockets.firstIndex(where: { $0.output == output }) { remove(at: index) }
    }

    private mutating func remove(at index: Int) {
        let attachment = sockets.remove(at: index)
        close(attachment.output)
        if attachment.error >= 0 { close(attachment.error) }
    }
}
