extension CIDR {
    /// A unique local network (RFC 4193, section 3.1) for the pods of one node: `fd`, a global ID of 40 bits, subnet 0.
    ///
    /// The global ID comes from the seed alone, so a node has the same network after every start and keeps it nowhere.
    /// Section 3.2.2 of the RFC wants one that nobody else is likely to have: the seed must be something only this node
    /// has, such as the machine's ID.
    public static func uniqueLocal(seed: String) -> CIDR {
        // FNV-1a of 64 bits, folded to 40 as its authors recommend.
        let hash = seed.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let globalID = (hash >> 40) ^ (hash & 0xff_ffff_ffff)
        let network = UInt128(0xfd) << 120 | UInt128(globalID) << 80
        return CIDR(containing: IPAddress(family: .v6, value: network), prefixLength: 64)
    }
}
