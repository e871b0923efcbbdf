import CLinux
public import SystemPackage

/// One message to the kernel with what an error about it should say. Its sequence number is set when it is sent.
public struct NetlinkRequest: Sendable {
    /// Header and body, padded; the sequence number is zero.
    let bytes: [UInt8]
    let isOversized: Bool
    /// What is being tried, for errors: `create veth`.
    let operation: String
    /// On what, for errors: the name of an interface, an address.
    let subject: String
    /// Answers that mean that the work is done already, such as EEXIST.
    var tolerated: [Errno] = []

    init(
        _ operation: String, _ subject: String, type: Int, flags: Int32, body: (inout NetlinkWriter) -> Void
    ) {
        var writer = NetlinkWriter()
        writer.append(UInt32(0))
        writer.append(UInt16(truncatingIfNeeded: type))
        writer.append(UInt16(truncatingIfNeeded: flags | NLM_F_REQUEST))
        writer.append(UInt32(0))
        writer.append(UInt32(0))
        body(&writer)
        writer.patch(UInt32(truncatingIfNeeded: writer.bytes.count), at: NetlinkMessage.lengthOffset)
        bytes = writer.bytes
        isOversized = writer.isOversized
        self.operation = operation
        self.subject = subject
    }

    /// The same request, for which these answers are success.
    public func tolerating(_ errors: Errno...) -> NetlinkRequest {
        var copy = self
        copy.tolerated += errors
        return copy
    }
}
