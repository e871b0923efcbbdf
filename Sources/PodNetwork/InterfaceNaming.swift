/// Names and hardware addresses that follow from what they belong to, so that nothing has to be remembered about them.
enum InterfaceNaming {
    /// The host's end of a sandbox's cable, 15 characters: `veth` (which network managers leave alone) and 44 bits of a
    /// hash of the bridge and the sandbox.
    static func hostInterface(bridge: String, sandboxID: String) -> String {
        let digits = String(hash("\(bridge)/\(sandboxID)") >> 20, radix: 16)
        return "veth" + String(repeating: "0", count: 11 - digits.utf8.count) + digits
    }

    /// A locally administered unicast address for an interface of the host.
    static func hardwareAddress(ofInterface name: String) -> [UInt8] {
        let hash = hash(name)
        return [0x02] + (0..<5).map { UInt8(truncatingIfNeeded: hash >> UInt64($0 * 8)) }
    }

    /// A pod's own: from its address, so that a neighbour's cache stays right when another pod gets the address.
    static func hardwareAddress(of address: IPAddress) -> [UInt8] { [0x0a, 0x58] + address.bytes.suffix(4) }

    /// FNV-1a, 64 bits: stable between processes, which the standard library's is not.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
