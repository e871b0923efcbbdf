import CLinux
import SystemPackage

/// One message of a datagram from the kernel.
struct NetlinkMessage {
    static let lengthOffset = 0
    static let sequenceOffset = 8
    static let headerLength = 16

    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    /// What follows the header.
    let payload: ArraySlice<UInt8>

    /// Takes a datagram apart. Bytes that do not add up to messages are EBADMSG; nothing is read past their end.
    static func parse(_ datagram: ArraySlice<UInt8>) throws(KernelError) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = datagram
        while !rest.isEmpty {
            guard let length = rest.integer(UInt32.self, at: lengthOffset), length >= headerLength,
                length <= rest.count, let type = rest.integer(UInt16.self, at: 4),
                let flags = rest.integer(UInt16.self, at: 6),
                let sequence = rest.integer(UInt32.self, at: sequenceOffset)
            else { throw KernelError("parse netlink message", errno: .badMessage) }
            messages.append(
                NetlinkMessage(
                    type: type, flags: flags, sequence: sequence,
                    payload: rest.prefix(Int(length)).dropFirst(headerLength)))
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
        return messages
    }

    /// The kernel's verdict, when this message is one: nil for success, the error and its text otherwise.
    func verdict() throws(KernelError) -> (errno: Errno, text: String?)? {
        guard let code = payload.integer(Int32.self, at: 0) else {
            throw KernelError("parse netlink acknowledgement", errno: .badMessage)
        }
        if code == 0 { return nil }
        // The negated errno, and no other value, is legal; Int32.min has no negation.
        let errno = Errno(rawValue: code == .min ? EBADMSG : -code)
        return (errno, try extendedText())
    }

    /// The text of the extended acknowledgement (NLMSGERR_ATTR_MSG), which says what the errno does not.
    private func extendedText() throws(KernelError) -> String? {
        guard Int32(flags) & NLM_F_ACK_TLVS != 0, let echoed = payload.integer(UInt32.self, at: 4) else { return nil }
        // The request's header is always echoed; its body is too unless the answer is capped.
        var skipped = 4 + NetlinkMessage.headerLength
        if Int32(flags) & NLM_F_CAPPED == 0 { skipped = 4 + max(NetlinkMessage.headerLength, (Int(echoed) + 3) & ~3) }
        let attributes = try NetlinkAttributes(parsing: payload.dropFirst(skipped))
        return attributes.string(UInt16(truncatingIfNeeded: NLMSGERR_ATTR_MSG.rawValue))
    }
}

extension ArraySlice<UInt8> {
    /// The integer in host order at an offset from the start; nil when it would pass the end.
    func integer<Value: FixedWidthInteger>(_: Value.Type, at offset: Int) -> Value? {
        guard offset >= 0, count - offset >= MemoryLayout<Value>.size else { return nil }
        return dropFirst(offset).withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
    }
}
