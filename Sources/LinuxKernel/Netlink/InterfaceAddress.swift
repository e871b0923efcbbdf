import CLinux
import SystemPackage

/// An IP address of an interface.
public struct InterfaceAddress: Hashable, Sendable {
    public var link: UInt32
    /// In network order: 4 bytes for IPv4, 16 for IPv6.
    public var bytes: [UInt8]
    public var prefixLength: UInt8
    /// Reachable from anywhere, not only from its link or the host itself (RT_SCOPE_UNIVERSE).
    public var isGlobal: Bool
    /// Not to be used for new connections, or not usable yet (IPv6).
    public var isDeprecatedOrTentative: Bool

    public init(
        link: UInt32, bytes: [UInt8], prefixLength: UInt8, isGlobal: Bool = true, isDeprecatedOrTentative: Bool = false
    ) {
        self.link = link
        self.bytes = bytes
        self.prefixLength = prefixLength
        self.isGlobal = isGlobal
        self.isDeprecatedOrTentative = isDeprecatedOrTentative
    }

    /// Reads the body of an RTM_NEWADDR message.
    init(parsing body: ArraySlice<UInt8>) throws(KernelError) {
        let attributes = try NetlinkAttributes(parsing: body.dropFirst(8))
        // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL, where there is one, is ours.
        guard let prefixLength = body.integer(UInt8.self, at: 1), let shortFlags = body.integer(UInt8.self, at: 2),
            let scope = body.integer(UInt8.self, at: 3), let link = body.integer(UInt32.self, at: 4),
            let bytes = attributes[IFA_LOCAL] ?? attributes[IFA_ADDRESS], bytes.count == 4 || bytes.count == 16
        else { throw KernelError("parse address", errno: .badMessage) }
        let flags = attributes.integer(IFA_FLAGS, as: UInt32.self) ?? UInt32(shortFlags)
        self.link = link
        self.bytes = Array(bytes)
        self.prefixLength = prefixLength
        isGlobal = scope == 0
        isDeprecatedOrTentative = flags & UInt32(IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_DADFAILED) != 0
    }
}

extension NetlinkRequest {
    /// Gives an interface an address, or confirms that it has it. IPv6 duplicate detection is left out (IFA_F_NODAD):
    /// who sets addresses here knows that they are unique, and a second of waiting is most of a pod's start.
    public static func addAddress(_ address: InterfaceAddress) -> NetlinkRequest {
        let flags = NetlinkRequest.changeFlags | NLM_F_CREATE | NLM_F_REPLACE
        return NetlinkRequest("add address to interface", "\(address.link)", type: RTM_NEWADDR, flags: flags) {
            message in
            message.appendAddress(address)
            if address.bytes.count == 16 { message.attribute(IFA_FLAGS, integer: UInt32(IFA_F_NODAD)) }
        }
    }

    public static func removeAddress(_ address: InterfaceAddress) -> NetlinkRequest {
        let subject = "\(address.link)"
        return NetlinkRequest("remove address from interface", subject, type: RTM_DELADDR, flags: changeFlags) {
            message in
            message.appendAddress(address)
        }
    }
}

extension NetlinkWriter {
    /// struct ifaddrmsg with the address.
    fileprivate mutating func appendAddress(_ address: InterfaceAddress) {
        append(UInt8(address.bytes.count == 4 ? AF_INET : AF_INET6))
        append(address.prefixLength)
        append(UInt8(0))
        append(UInt8(address.isGlobal ? 0 : RT_SCOPE_LINK.rawValue))
        append(address.link)
        attribute(IFA_LOCAL, address.bytes)
        attribute(IFA_ADDRESS, address.bytes)
    }
}

extension NetlinkSocket {
    /// All addresses of the namespace, both families.
    public mutating func addresses() throws(KernelError) -> [InterfaceAddress] {
        let request = NetlinkRequest("list addresses", "", type: RTM_GETADDR, flags: NLM_F_DUMP) { message in
            for _ in 0..<8 { message.append(UInt8(0)) }
        }
        var addresses: [InterfaceAddress] = []
        for body in try query(request) ?? [] { addresses.append(try InterfaceAddress(parsing: body)) }
        return addresses
    }
}
