/// The bridge of one node. Nodes on one host need different bridges, CIDRs, tables and directories.
public struct BridgeConfiguration: Hashable, Sendable {
    /// The bridge's interface: 1 to 15 characters.
    public var bridge: String
    /// At most one of each family; the order does not matter.
    public var podCIDRs: [CIDR]
    /// Where addresses are recorded. It should not outlive a boot (a directory of /run): neither do the pods'
    /// interfaces, and syncing to a tmpfs is free.
    public var stateDirectory: String
    /// The table `inet <name>`, which is the node's alone.
    public var nftablesTableName: String
    /// Bytes; nil takes that of the interface of the host's default route.
    public var mtu: UInt32?
    /// The file of the network namespace that is the host's; nil is the agent's own.
    public var hostNamespacePath: String?

    public init(
        bridge: String, podCIDRs: [CIDR], stateDirectory: String, nftablesTableName: String, mtu: UInt32? = nil,
        hostNamespacePath: String? = nil
    ) {
        self.bridge = bridge
        self.podCIDRs = podCIDRs
        self.stateDirectory = stateDirectory
        self.nftablesTableName = nftablesTableName
        self.mtu = mtu
        self.hostNamespacePath = hostNamespacePath
    }

    /// Checks every field and gives the CIDRs with IPv4 first.
    func validated() throws(NetworkError) -> [CIDR] {
        guard Self.isWord(bridge, limit: 15), bridge.utf8.first != UInt8(ascii: "-") else {
            throw .invalidConfiguration("bridge \"\(bridge)\" must be 1 to 15 of the characters a-z A-Z 0-9 . _ -")
        }
        guard Self.isWord(nftablesTableName, limit: 64), nftablesTableName.utf8.first.map(Self.isLetter) == true,
            nftablesTableName.utf8.allSatisfy({ $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") })
        else {
            throw .invalidConfiguration(
                "nftablesTableName \"\(nftablesTableName)\" must start with a letter and be 1 to 64 of a-z A-Z 0-9 _")
        }
        guard stateDirectory.hasPrefix("/") else {
            throw .invalidConfiguration("stateDirectory \"\(stateDirectory)\" must be an absolute path")
        }
        // 1280 is the least that IPv6 allows (RFC 8200, section 5); 65535 the most that veth does.
        if let mtu, !(1280...65535).contains(mtu) {
            throw .invalidConfiguration("mtu \(mtu) must be from 1280 to 65535")
        }
        guard !podCIDRs.isEmpty else {
            throw .invalidConfiguration("podCIDRs is empty; give one, such as 10.244.0.0/24")
        }
        let sorted = podCIDRs.sorted { $0.family < $1.family }
        for (first, second) in zip(sorted, sorted.dropFirst()) where first.family == second.family {
            throw .invalidConfiguration(
                "podCIDRs has two of one family, \(first) and \(second); give at most one of each")
        }
        for cidr in sorted { _ = try AddressPool(cidr) }
        return sorted
    }

    /// Fit for an interface's name and for a script of nftables, unquoted.
    private static func isWord(_ text: String, limit: Int) -> Bool {
        guard (1...limit).contains(text.utf8.count), text != ".", text != ".." else { return false }
        return text.utf8.allSatisfy { byte in
            isLetter(byte) || (48...57).contains(byte)
                || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
}
