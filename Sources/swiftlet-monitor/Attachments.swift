import CLinux
import MonitorCoreEmbedded

/// Those who see what the container writes, as it writes it.
///
/// Who does not keep up with what the kernel buffers (some 200 KiB) holds the container's output up, as a pipe would; who takes
/// nothing at all for ten seconds is let go, so that no onlooker stops a container for good.
struct Attachments: ~Copyable {
    static let limit = 16
    private static let patienceSeconds: Int64 = 10
    /// For those who look on when the container ends.
    private static let lastPatienceMilliseconds: Int32 = 500

    private struct Attachment {
        let output: Int32
        let error: Int32
        /// What its socket did not take, of one read of the container's output.
        var pending: [UInt8] = []
        var isPendingOnError = false
        /// When it last took something.
        var since: Int64 = 0

        var pendingSocket: Int32 { isPendingOnError ? error : output }
    }

    private var attachments: [Attachment] = []

    var areBehind: Bool { attachments.contains { !$0.pending.isEmpty } }

    /// Adds what to wait for: room for what is pending, and hang-ups.
    func watch(in set: inout [pollfd]) {
        for attachment in attachments {
            let isBehind = !attachment.pending.isEmpty
            if isBehind { set.append(pollfd(fd: attachment.pendingSocket, events: Int16(POLLOUT), revents: 0)) }
            if !isBehind || attachment.isPendingOnError {
                set.append(pollfd(fd: attachment.output, events: 0, revents: 0))
            }
        }
    }

    func owns(_ descriptor: Int32) -> Bool {
        attachments.contains { $0.output == descriptor || $0.error == descriptor }
    }

    /// Takes copies of the descriptors; false when there are too many already.
    mutating func add(output: Int32, error: Int32) -> Bool {
        guard attachments.count < Attachments.limit else { return false }
        let copy = CLinux_fcntl_int(output, F_DUPFD_CLOEXEC, 0)
        if copy < 0 { return false }
        let errorCopy = error < 0 ? -1 : CLinux_fcntl_int(error, F_DUPFD_CLOEXEC, 0)
        attachments.append(Attachment(output: copy, error: errorCopy))
        return true
    }

    /// Not while they are behind: ``areBehind``.
    mutating func send(_ bytes: ArraySlice<UInt8>, isError: Bool, now: Int64) {
        var index = 0
        while index < attachments.count {
            if (isError ? attachments[index].error : attachments[index].output) < 0 {
                index += 1
                continue
            }
            attachments[index].pending = [UInt8](bytes)
            attachments[index].isPendingOnError = isError
            attachments[index].since = now
            if flush(index, now: now) { index += 1 }
        }
    }

    /// A watched descriptor has room, or its other end is closed.
    mutating func handle(_ descriptor: Int32, now: Int64) {
        guard
            let index = attachments.firstIndex(where: { $0.output == descriptor || $0.error == descriptor })
        else { return }
        if !attachments[index].pending.isEmpty, attachments[index].pendingSocket == descriptor {
            _ = flush(index, now: now)
        } else {
            remove(at: index)
        }
    }

    mutating func dropStalled(now: Int64) {
        var index = 0
        while index < attachments.count {
            let attachment = attachments[index]
            if !attachment.pending.isEmpty, now - attachment.since > Attachments.patienceSeconds {
                remove(at: index)
            } else {
                index += 1
            }
        }
    }

    /// The container writes nothing more: what is pending is given some time.
    mutating func finish() {
        while let index = attachments.firstIndex(where: { !$0.pending.isEmpty }) {
            var entry = pollfd(fd: attachments[index].pendingSocket, events: Int16(POLLOUT), revents: 0)
            if poll(&entry, 1, Attachments.lastPatienceMilliseconds) == 1 {
                _ = flush(index, now: 0)
            } else {
                remove(at: index)
            }
        }
    }

    /// Sends what is pending, as much as goes; false when the attachment was let go.
    private mutating func flush(_ index: Int, now: Int64) -> Bool {
        let socket = attachments[index].pendingSocket
        let count = attachments[index].pending.withUnsafeBytes {
            CLinux_send_descriptors(socket, $0.baseAddress, $0.count, nil, 0, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        }
        if count < 0 {
            if CLinux_errno() == EAGAIN || CLinux_errno() == EINTR { return true }
            remove(at: index)
            return false
        }
        attachments[index].pending.removeFirst(Int(count))
        attachments[index].since = now
        return true
    }

    private mutating func remove(at index: Int) {
        let attachment = attachments.remove(at: index)
        close(attachment.output)
        if attachment.error >= 0 { close(attachment.error) }
    }
}
