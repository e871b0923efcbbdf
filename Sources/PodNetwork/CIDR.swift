/// A network: an address with all host bits zero, and the length of its prefix.
public struct CIDR: Hashable, Sendable, CustomStringConvertible {
    public let network: IPAddress
    public let prefixLength: Int

    /// Strict: `address/length`, nothing else. An error names the text and what is wrong with it; a network with host
    /// bits set comes with the one that was probably meant.
    public init(parsing text: String) throws(NetworkError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]) else {
            throw .invalidConfiguration("CIDR \"\(text)\" is not of the form address/length, such as 10.244.0.0/24")
        }
        let digits = parts[1]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            digits == "0" || digits.first != "0", let length = Int(digits), length <= address.family.bitWidth
        else {
            throw .invalidConfiguration(
                "CIDR \"\(text)\": the length after / must be a number from 0 to \(address.family.bitWidth)")
        }
        let network = CIDR(containing: address, prefixLength: length)
        guard network.network == address else {
            throw .invalidConfiguration("CIDR \"\(text)\" has host bits set; write \(network)")
        }
        self = network
    }

    /// The network of that length around an address. The length is brought into the family's range.
    public init(containing address: IPAddress, prefixLength: Int) {
        let length = min(max(prefixLength, 0), address.family.bitWidth)
        let hostBits = UInt128(address.family.bitWidth - length)
        // A smart shift by the full width gives zero, as it should for /0.
        network = IPAddress(family: address.family, value: (address.value >> hostBits) << hostBits)
        self.prefixLength = length
    }

    public var family: IPAddress.Family { network.family }

    /// The host's own address in a network of pods, which is their way out.
    public var gateway: IPAddress { IPAddress(family: family, value: network.value &+ 1) }

    public func contains(_ address: IPAddress) -> Bool {
        address.family == family && CIDR(containing: address, prefixLength: prefixLength) == self
    }

    /// Some address is in both.
    public func overlaps(_ other: CIDR) -> Bool {
        prefixLength <= other.prefixLength ? contains(other.network) : other.contains(network)
    }

    /// The address `offset` after the network's own; nil when that is outside.
    func address(at offset: Int) -> IPAddress? {
        let (value, overflow) = network.value.addingReportingOverflow(UInt128(clamping: offset))
        guard offset >= 0, !overflow else { return nil }
        // Checked before the family's width could cut it off.
        guard family == .v6 || value <= 0xffff_ffff else { return nil }
        let address = IPAddress(family: family, value: value)
        return contains(address) ? address : nil
    }

    /// How far an address is from the network's own; nil when it is outside.
    func offset(of address: IPAddress) -> Int? {
        contains(address) ? Int(exactly: address.value - network.value) : nil
    }

    public var description: String { "\(network)/\(prefixLength)" }
}
