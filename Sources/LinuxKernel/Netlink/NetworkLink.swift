import CLinux
import SystemPackage

/// A network interface as the kernel describes it.
public struct NetworkLink: Hashable, Sendable {
    public var index: UInt32
    public var name: String
    public var isUp: Bool
    public var isLoopback: Bool
    /// Bytes of one packet's payload.
    public var mtu: UInt32
    /// The hardware address; empty where there is none.
    public var address: [UInt8]
    /// The bridge it is a port of.
    public var master: UInt32?
    /// What made it: `bridge`, `veth`; nil for hardware.
    public var kind: String?

    public init(
        index: UInt32, name: String, isUp: Bool = true, isLoopback: Bool = false, mtu: UInt32 = 1500,
        address: [UInt8] = [], master: UInt32? = nil, kind: String? = nil
    ) {
        self.index = index
        self.name = name
        self.isUp = isUp
        self.isLoopback = isLoopback
        self.mtu = mtu
        self.address = address
        self.master = master
        self.kind = kind
    }

    /// Reads the body of an RTM_NEWLINK message.
    init(parsing body: ArraySlice<UInt8>) throws(KernelError) {
        let attributes = try NetlinkAttributes(parsing: body.dropFirst(16))
        guard let index = body.integer(Int32.self, at: 4), index > 0, let flags = body.integer(UInt32.self, at: 8),
            let name = attributes.string(IFLA_IFNAME)
        else { throw KernelError("parse link", errno: .badMessage) }
        self.index = UInt32(index)
        self.name = name
        isUp = flags & CLinux_IFF_UP != 0
        isLoopback = flags & CLinux_IFF_LOOPBACK != 0
        mtu = attributes.integer(IFLA_MTU) ?? 0
        address = attributes[IFLA_ADDRESS].map(Array.init) ?? []
        master = attributes.integer(IFLA_MASTER)
        kind = try attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND)
    }
}
