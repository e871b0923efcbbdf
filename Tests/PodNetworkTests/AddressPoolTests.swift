import Testing

@testable import PodNetwork

@Suite("The address pool")
struct AddressPoolTests {
    @Test(
        "a range of the wrong size or kind is refused with its reason",
        arguments: [
            ("10.0.0.0/29", "pod CIDR 10.0.0.0/29 is too small; use a prefix length from 16 to 28"),
            ("10.0.0.0/15", "pod CIDR 10.0.0.0/15 is too large; use a prefix length from 16 to 28"),
            ("fd00::/121", "pod CIDR fd00::/121 is too small; use a prefix length from 48 to 120"),
            ("fd00::/32", "pod CIDR fd00::/32 is too large; use a prefix length from 48 to 120"),
            (
                "224.0.0.0/24",
                "pod CIDR 224.0.0.0/24 is not a unicast network; "
                    + "use a private one such as 10.244.0.0/24 or fd00:10:244::/64"
            ),
        ])
    func refused(text: String, message: String) throws {
        let cidr = try CIDR(parsing: text)
        #expect(throws: NetworkError.self) { try AddressPool(cidr) }
        do { _ = try AddressPool(cidr) } catch { #expect(error.message == message) }
    }

    @Test(
        "network, gateway and broadcast addresses are never given out",
        arguments: [
            ("10.1.2.0/24", 253, "10.1.2.2", "10.1.2.254"), ("10.1.0.0/16", 65533, "10.1.0.2", "10.1.255.254"),
            ("10.1.2.16/28", 13, "10.1.2.18", "10.1.2.30"), ("fd00::/64", 65534, "fd00::2", "fd00::ffff"),
            ("fd00::/120", 254, "fd00::2", "fd00::ff"),
        ])
    func bounds(text: String, capacity: Int, first: String, last: String) throws {
        var pool = try AddressPool(CIDR(parsing: text))
        #expect(pool.capacity == capacity)
        var given: [IPAddress] = []
        while let address = pool.allocate() { given.append(address) }
        #expect(given.count == capacity)
        #expect(Set(given).count == capacity)
        #expect(given.first?.description == first)
        #expect(given.last?.description == last)
        #expect(!given.contains(pool.gateway))
    }

    @Test("a freed address is the last to be given out again")
    func nextFit() throws {
        var pool = try AddressPool(CIDR(parsing: "10.0.0.0/28"))
        let allocated = pool.allocate()
        let first = try #require(allocated)
        pool.free(first)
        var later: [IPAddress] = []
        while let address = pool.allocate() { later.append(address) }
        #expect(later.count == 13)
        #expect(later.last == first)
    }

    @Test(
        "random operations never give out a taken address and always find a free one",
        arguments: 0..<20 as Range<UInt64>)
    func model(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var pool = try AddressPool(CIDR(parsing: seed % 2 == 0 ? "10.0.0.0/26" : "fd00::/120"))
        var taken: Set<IPAddress> = []
        for _ in 0..<4000 {
            switch random.below(5) {
            case 0, 1:
                let address = pool.allocate()
                #expect((address == nil) == (taken.count == pool.capacity))
                if let address {
                    let isNew = taken.insert(address).inserted
                    #expect(isNew)
                }
            case 2:
                guard let address = pool.cidr.address(at: random.below(70)) else { break }
                let expected = !taken.contains(address) && isUsable(address, pool)
                let claimed = pool.claim(address)
                #expect(claimed == expected)
                if expected { taken.insert(address) }
            default:
                guard let address = pool.cidr.address(at: random.below(70)) else { break }
                let freed = pool.free(address)
                let wasTaken = taken.remove(address) != nil
                #expect(freed == wasTaken)
            }
            #expect(pool.allocatedCount == taken.count)
        }
    }

    private func isUsable(_ address: IPAddress, _ pool: AddressPool) -> Bool {
        guard let offset = pool.cidr.offset(of: address) else { return false }
        return offset >= 2 && (pool.cidr.family == .v6 || address != pool.cidr.address(at: 63))
    }
}
