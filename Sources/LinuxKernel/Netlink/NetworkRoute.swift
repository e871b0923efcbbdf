import CLinux
import SystemPackage

/// A unicast route of the main table.
public struct NetworkRoute: Hashable, Sendable {
    /// In network order; all zero for a default route. Its count, 4 or 16, is the family.
    public var destination: [UInt8]
    /// 0 for a default route.
    public var prefixLength: UInt8
    public var gateway: [UInt8]?
    /// The address that the host uses as its own on this route.
    public var preferredSource: [UInt8]?
    /// nil for a route over several links.
    public var link: UInt32?
    /// Lower wins.
    public var metric: UInt32

    public init(
        destination: [UInt8], prefixLength: UInt8, gateway: [UInt8]? = nil, preferredSource: [UInt8]? = nil,
        link: UInt32? = nil, metric: UInt32 = 0
    ) {
        self.destination = destination
        self.prefixLength = prefixLength
        self.gateway = gateway
        self.preferredSource = preferredSource
        self.link = link
        self.metric = metric
    }

    /// Reads the body of an RTM_NEWROUTE message; nil for a route of another table or another type (local, blackhole).
    init?(parsing body: ArraySlice<UInt8>) throws(KernelError) {
        let attributes = try NetlinkAttributes(parsing: body.dropFirst(12))
        guard let family = body.integer(UInt8.self, at: 0), let prefixLength = body.integer(UInt8.self, at: 1),
            let shortTable = body.integer(UInt8.self, at: 4), let type = body.integer(UInt8.self, at: 7)
        else { throw KernelError("parse route", errno: .badMessage) }
        let table = attributes.integer(RTA_TABLE.rawValue, as: UInt32.self) ?? UInt32(shortTable)
        guard table == RT_TABLE_MAIN.rawValue, type == RTN_UNICAST,
            Int32(family) == AF_INET || Int32(family) == AF_INET6
        else { return nil }
        let length = Int32(family) == AF_INET ? 4 : 16
        destination = attributes[RTA_DST.rawValue].map(Array.init) ?? [UInt8](repeating: 0, count: length)
        guard destination.count == length else { throw KernelError("parse route", errno: .badMessage) }
        self.prefixLength = prefixLength
        gateway = attributes[RTA_GATEWAY.rawValue].map(Array.init)
        preferredSource = attributes[RTA_PREFSRC.rawValue].map(Array.init)
        link = attributes.integer(RTA_OIF.rawValue)
        metric = attributes.integer(RTA_PRIORITY.rawValue) ?? 0
    }
}

extension NetlinkRequest {
    /// Adds a default route by a gateway on a link, or replaces it.
    public static func addDefaultRoute(gateway: [UInt8], link: UInt32) -> NetlinkRequest {
        let flags = changeFlags | NLM_F_CREATE | NLM_F_REPLACE
        let subject = "interface \(link)"
        return NetlinkRequest("add default route on", subject, type: RTM_NEWROUTE, flags: flags) { message in
            message.append(UInt8(gateway.count == 4 ? AF_INET : AF_INET6))
            // Destination and source length, type of service.
            for _ in 0..<3 { message.append(UInt8(0)) }
            message.append(UInt8(RT_TABLE_MAIN.rawValue))
            message.append(UInt8(RTPROT_BOOT))
            message.append(UInt8(RT_SCOPE_UNIVERSE.rawValue))
            message.append(UInt8(RTN_UNICAST))
            message.append(UInt32(0))
            message.attribute(RTA_GATEWAY.rawValue, gateway)
            message.attribute(RTA_OIF.rawValue, integer: link)
        }
    }
}

extension NetlinkSocket {
    /// The unicast routes of the main table, both families.
    public mutating func routes() throws(KernelError) -> [NetworkRoute] {
        var routes: [NetworkRoute] = []
        for family in [AF_INET, AF_INET6] {
            let request = NetlinkRequest("list routes", "", type: RTM_GETROUTE, flags: NLM_F_DUMP) { message in
                message.append(UInt8(family))
                for _ in 0..<11 { message.append(UInt8(0)) }
            }
            // A kernel without IPv6 has no such routes.
            for body in try query(request.tolerating(.notSupported, .addressFamilyNotSupported)) ?? [] {
                if let route = try NetworkRoute(parsing: body) { routes.append(route) }
            }
        }
        return routes
    }
}
