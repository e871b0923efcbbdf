import CLinux
import SystemPackage

extension NetlinkRequest {
    static let changeFlags = NLM_F_ACK
    static let createFlags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL

    /// Makes a bridge that is up, without spanning tree and without multicast snooping: it forwards at once and has no
    /// timers. A set hardware address keeps the bridge from taking the lowest of its ports', which would change under
    /// its neighbours.
    public static func createBridge(name: String, address: [UInt8], mtu: UInt32) -> NetlinkRequest {
        NetlinkRequest("create bridge", name, type: RTM_NEWLINK, flags: createFlags) { message in
            message.appendLink(index: 0, setsUp: true)
            message.attribute(IFLA_IFNAME, string: name)
            message.attribute(IFLA_ADDRESS, address)
            message.attribute(IFLA_MTU, integer: mtu)
            message.nested(IFLA_LINKINFO) { info in
                info.attribute(IFLA_INFO_KIND, string: "bridge")
                info.nested(IFLA_INFO_DATA) { data in
                    data.attribute(IFLA_BR_MCAST_SNOOPING, integer: UInt8(0))
                }
            }
        }
    }

    /// Brings an interface up and, where given, changes its MTU (bytes) and its bridge.
    public static func configureLink(
        _ name: String, mtu: UInt32? = nil, master: UInt32? = nil
    ) -> NetlinkRequest {
        NetlinkRequest("configure interface", name, type: RTM_NEWLINK, flags: changeFlags) { message in
            message.appendLink(index: 0, setsUp: true)
            message.attribute(IFLA_IFNAME, string: name)
            if let mtu { message.attribute(IFLA_MTU, integer: mtu) }
            if let master { message.attribute(IFLA_MASTER, integer: master) }
        }
    }

    /// Takes an interface out of its bridge and down. Cheap: the interface itself stays.
    public static func unplugLink(_ name: String) -> NetlinkRequest {
        NetlinkRequest("unplug interface", name, type: RTM_NEWLINK, flags: changeFlags) { message in
            message.appendLink(index: 0, setsUp: false)
            message.attribute(IFLA_IFNAME, string: name)
            message.attribute(IFLA_MASTER, integer: UInt32(0))
        }
    }

    /// Lets a bridge send a frame back out of the port it came in by, so that what is behind the port reaches itself by
    /// an address that the host translates.
    public static func setHairpin(port index: UInt32) -> NetlinkRequest {
        NetlinkRequest("set hairpin mode of port", "\(index)", type: RTM_SETLINK, flags: changeFlags) { message in
            message.appendLink(index: index, setsUp: nil, family: AF_BRIDGE)
            message.nested(UInt16(IFLA_PROTINFO) | UInt16(NLA_F_NESTED)) { port in
                port.attribute(IFLA_BRPORT_MODE, integer: UInt8(1))
            }
        }
    }

    /// Deletes an interface and waits until the kernel has let go of it: 14–46 ms for a veth. Never in the path of a
    /// pod.
    public static func deleteLink(_ name: String) -> NetlinkRequest {
        NetlinkRequest("delete interface", name, type: RTM_DELLINK, flags: changeFlags) { message in
            message.appendLink(index: 0, setsUp: nil)
            message.attribute(IFLA_IFNAME, string: name)
        }
    }
}

extension NetlinkWriter {
    /// struct ifinfomsg. With `setsUp` the one flag that changes is IFF_UP.
    mutating func appendLink(index: UInt32, setsUp: Bool?, family: Int32 = AF_UNSPEC) {
        append(UInt8(truncatingIfNeeded: family))
        append(UInt8(0))
        append(UInt16(0))
        append(index)
        append(setsUp == true ? CLinux_IFF_UP : 0)
        append(setsUp == nil ? 0 : CLinux_IFF_UP)
    }
}
