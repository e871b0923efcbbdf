/// Which addresses of a pod CIDR are taken: pure, so that any order of events can be tried.
///
/// Offset 0 is the network's address, 1 the gateway; the last one of an IPv4 network is for broadcast. Allocation is
/// next-fit: it goes on after the last one given out and wraps around, so that a freed address rests for as long as
/// possible before another pod answers on it.
struct AddressPool: Sendable {
    /// Bounds the bitmap to 8 KiB. A longer IPv6 range is used up to here.
    static let maximumSize = 1 << 16

    let cidr: CIDR
    /// Offsets from the network's address; the first and the last are never given out for the reasons above.
    private let usable: Range<Int>
    private var words: [UInt64]
    private var next: Int
    private(set) var allocatedCount = 0

    /// Refuses a range too small to be useful (fewer than 14 IPv4 pods) or too large for a bitmap.
    init(_ cidr: CIDR) throws(NetworkError) {
        let allowed = cidr.family == .v4 ? 16...28 : 48...120
        guard cidr.prefixLength <= allowed.upperBound else {
            throw .invalidConfiguration(
                "pod CIDR \(cidr) is too small; use a prefix length from \(allowed.lowerBound) to \(allowed.upperBound)"
            )
        }
        guard cidr.prefixLength >= allowed.lowerBound else {
            throw .invalidConfiguration(
                "pod CIDR \(cidr) is too large; use a prefix length from \(allowed.lowerBound) to \(allowed.upperBound)"
            )
        }
        guard !cidr.network.isMulticast, !cidr.network.isLoopback, !cidr.network.isLinkLocal, cidr.network.value != 0
        else {
            throw .invalidConfiguration(
                "pod CIDR \(cidr) is not a unicast network; use a private one such as 10.244.0.0/24 or fd00:10:244::/64"
            )
        }
        let hostBits = cidr.family.bitWidth - cidr.prefixLength
        let size = hostBits >= 16 ? Self.maximumSize : 1 << hostBits
        self.cidr = cidr
        usable = 2..<(cidr.family == .v4 ? size - 1 : size)
        words = [UInt64](repeating: 0, count: (size + 63) / 64)
        next = usable.lowerBound
    }

    /// The host's own address in the network, which is the pods' way out.
    var gateway: IPAddress { cidr.gateway }

    /// How many pods fit.
    var capacity: Int { usable.count }

    /// Takes the next free address; nil when there is none.
    mutating func allocate() -> IPAddress? {
        guard allocatedCount < usable.count else { return nil }
        var offset = next
        while isAllocated(offset) {
            // A full word is skipped at once; the loop ends because a free offset exists.
            let isFullWord = offset % 64 == 0 && words[offset / 64] == .max
            offset = wrapped(offset + (isFullWord ? 64 : 1))
        }
        mark(offset)
        next = wrapped(offset + 1)
        return cidr.address(at: offset)
    }

    /// Takes a certain address, found in use. False when it is not one the pool gives out, or is taken.
    mutating func claim(_ address: IPAddress) -> Bool {
        guard let offset = usableOffset(of: address), !isAllocated(offset) else { return false }
        mark(offset)
        return true
    }

    /// Gives an address back. False when it was not taken.
    @discardableResult
    mutating func free(_ address: IPAddress) -> Bool {
        guard let offset = usableOffset(of: address), isAllocated(offset) else { return false }
        words[offset / 64] &= ~(1 << UInt64(offset % 64))
        allocatedCount -= 1
        return true
    }

    /// Lets allocation go on after `address`, the last one given out before a restart.
    mutating func resume(after address: IPAddress) {
        guard let offset = usableOffset(of: address) else { return }
        next = wrapped(offset + 1)
    }

    private func usableOffset(of address: IPAddress) -> Int? {
        cidr.offset(of: address).flatMap { usable.contains($0) ? $0 : nil }
    }

    private func wrapped(_ offset: Int) -> Int { offset < usable.upperBound ? offset : usable.lowerBound }

    private func isAllocated(_ offset: Int) -> Bool { words[offset / 64] >> UInt64(offset % 64) & 1 == 1 }

    private mutating func mark(_ offset: Int) {
        words[offset / 64] |= 1 << UInt64(offset % 64)
        allocatedCount += 1
    }
}
