import CLinux

/// A virtual cable between the namespace of the socket and another one, made by one message: both ends named and
/// addressed, the near end up and plugged into a bridge. So a crash leaves the whole pair or nothing. Whoever
/// configures the far end brings it up.
public struct VethPair: Sendable {
    /// The near end, at most 15 bytes.
    public var name: String
    /// Hardware addresses, 6 bytes each. Setting them keeps udev from replacing them.
    public var address: [UInt8]
    public var peerName: String
    public var peerAddress: [UInt8]
    /// An open namespace file (IFLA_NET_NS_FD), lent for the duration of the call.
    public var peerNamespace: Int32
    /// The bridge that the near end becomes a port of.
    public var master: UInt32?
    public var mtu: UInt32

    public init(
        name: String, address: [UInt8], peerName: String, peerAddress: [UInt8], peerNamespace: Int32,
        master: UInt32?, mtu: UInt32
    ) {
        self.name = name
        self.address = address
        self.peerName = peerName
        self.peerAddress = peerAddress
        self.peerNamespace = peerNamespace
        self.master = master
        self.mtu = mtu
    }

    /// The request that makes it. EEXIST when one of the names is taken.
    public var creation: NetlinkRequest {
        NetlinkRequest("create veth", name, type: RTM_NEWLINK, flags: NetlinkRequest.createFlags) { message in
            message.appendLink(index: 0, setsUp: true)
            message.attribute(IFLA_IFNAME, string: name)
            message.attribute(IFLA_ADDRESS, address)
            message.attribute(IFLA_MTU, integer: mtu)
            if let master { message.attribute(IFLA_MASTER, integer: master) }
            message.nested(IFLA_LINKINFO) { info in
                info.attribute(IFLA_INFO_KIND, string: "veth")
                info.nested(IFLA_INFO_DATA) { data in
                    data.nested(VETH_INFO_PEER) { peer in
                        // The driver refuses to open an end before the other exists (ENOTCONN): the peer stays down.
                        peer.appendLink(index: 0, setsUp: nil)
                        peer.attribute(IFLA_IFNAME, string: peerName)
                        peer.attribute(IFLA_ADDRESS, peerAddress)
                        peer.attribute(IFLA_MTU, integer: mtu)
                        peer.attribute(IFLA_NET_NS_FD, integer: peerNamespace)
                    }
                }
            }
        }
    }
}
