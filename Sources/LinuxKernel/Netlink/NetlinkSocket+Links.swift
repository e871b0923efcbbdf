import CLinux
import Glibc
import SystemPackage

extension NetlinkSocket {
    /// The interface of that name; nil when there is none.
    public mutating func link(named name: String) throws(KernelError) -> NetworkLink? {
        let request = NetlinkRequest("get interface", name, type: RTM_GETLINK, flags: 0) { message in
            message.appendLink(index: 0, setsUp: nil)
            message.attribute(IFLA_IFNAME, string: name)
        }
        guard let body = try query(request.tolerating(Errno(rawValue: ENODEV)))?.first else { return nil }
        return try NetworkLink(parsing: body)
    }

    /// All interfaces of the namespace.
    public mutating func links() throws(KernelError) -> [NetworkLink] {
        let request = NetlinkRequest("list interfaces", "", type: RTM_GETLINK, flags: NLM_F_DUMP) { message in
            message.appendLink(index: 0, setsUp: nil)
        }
        var links: [NetworkLink] = []
        for body in try query(request) ?? [] { links.append(try NetworkLink(parsing: body)) }
        return links
    }
}
