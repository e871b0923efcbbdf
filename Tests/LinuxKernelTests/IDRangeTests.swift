import LinuxKernel
import Testing

struct IDRangeTests {
    @Test("an empty range is none, nor is one that reaches beyond the highest id")
    func bounds() {
        #expect(IDRange(first: 65536, count: 0) == nil)
        #expect(IDRange(first: .max, count: 1) == nil)
        #expect(IDRange(first: 0xFFFF_0000, count: 65536) == nil)
        #expect(IDRange(first: 0xFFFE_0000, count: 65536) != nil)
    }

    @Test("an id inside is the first host id plus itself, and one beyond the range does not exist")
    func hostIDs() throws {
        let range = try #require(IDRange(first: 131_072, count: 65_536))
        #expect(range.hostID(0) == 131_072)
        #expect(range.hostID(65_535) == 196_607)
        #expect(range.hostID(65_536) == nil)
        #expect(range.hostID(.max) == nil)
        #expect(range.mapLine == "0 131072 65536")
    }

    @Test(
        "ranges overlap when they share an id",
        arguments: [
            (100, 10, 110, 10, false), (100, 10, 109, 10, true), (109, 10, 100, 10, true), (110, 10, 100, 10, false),
            (100, 10, 100, 10, true), (100, 10, 103, 2, true), (103, 2, 100, 10, true),
        ] as [(UInt32, UInt32, UInt32, UInt32, Bool)])
    func overlap(first: UInt32, count: UInt32, otherFirst: UInt32, otherCount: UInt32, expected: Bool) throws {
        let range = try #require(IDRange(first: first, count: count))
        let other = try #require(IDRange(first: otherFirst, count: otherCount))
        #expect(range.overlaps(other) == expected)
    }
}
