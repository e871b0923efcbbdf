import Testing

@testable import ContainerImages

@Suite("Unpacked layers on their way into the store", .timeLimit(.minutes(5)))
struct LayerArrivalsTests {
    private static let chain = ContentDigest.chain(of: (0..<4).map { ContentDigest(of: [UInt8($0)]) })

    /// The layer of that height in the chain.
    private static func arrival(_ height: Int) -> LayerArrival {
        let record = LayerRecord(
            chainID: chain[height], diffID: ContentDigest(of: [UInt8(height)]), bytes: 1, inodes: 1, opaqueRoot: false)
        return LayerArrival(
            layer: UnpackedLayer(), staging: "\(height)", record: record, below: chain[..<height].reversed())
    }

    private static func taken(_ arrivals: LayerArrivals, present: Set<Int> = []) -> [String] {
        arrivals.take { digest in present.contains { chain[$0] == digest } }.map(\.arrival.staging)
    }

    @Test("go in together, each after the one below it, whatever their order of arrival")
    func together() {
        let arrivals = LayerArrivals()
        for height in [2, 1, 3, 0] { _ = arrivals.add(Self.arrival(height)) }
        #expect(Self.taken(arrivals) == ["0", "1", "2", "3"])
        #expect(Self.taken(arrivals) == [])
    }

    @Test("wait for one that is missing, and for no other")
    func missing() {
        let arrivals = LayerArrivals()
        for height in [3, 1] { _ = arrivals.add(Self.arrival(height)) }
        #expect(Self.taken(arrivals) == [])
        #expect(Self.taken(arrivals, present: [0]) == ["1"])
        #expect(Self.taken(arrivals, present: [0, 1]) == [])
        #expect(Self.taken(arrivals, present: [0, 1, 2]) == ["3"])
    }

    @Test("the same layer twice goes in one after the other")
    func twice() {
        let arrivals = LayerArrivals()
        for _ in 0..<2 { _ = arrivals.add(Self.arrival(0)) }
        #expect(Self.taken(arrivals) == ["0"])
        #expect(Self.taken(arrivals) == ["0"])
    }

    @Test("tell what became of them, before and after somebody waits")
    func outcome() async throws {
        let arrivals = LayerArrivals()
        let (first, second) = (arrivals.add(Self.arrival(0)), arrivals.add(Self.arrival(1)))
        #expect(Self.taken(arrivals).count == 2)
        arrivals.finish(first, .success(()))
        try await arrivals.outcome(of: first)
        arrivals.finish(second, .failure(ImageError(.storage, "full")))
        await #expect(throws: ImageError.self) { try await arrivals.outcome(of: second) }
    }

    @Test("one that nobody wants any more is given up while it waits, and finished once it was taken")
    func cancelled() async {
        let arrivals = LayerArrivals()
        let (waiting, taken) = (arrivals.add(Self.arrival(1)), arrivals.add(Self.arrival(0)))
        #expect(arrivals.take { _ in false }.map(\.number) == [taken, waiting])
        let late = arrivals.add(Self.arrival(3))
        let results = await withTaskGroup(of: ImageError.Code?.self) { group in
            group.addTask {
                do throws(ImageError) {
                    try await arrivals.outcome(of: late)
                    return nil
                } catch { return error.code }
            }
            group.cancelAll()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == [.cancelled])
        #expect(Self.taken(arrivals, present: [2]) == [])
        arrivals.finish(taken, .success(()))
        let finished = await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await arrivals.outcome(of: taken)) != nil }
            group.cancelAll()
            return await group.next()
        }
        #expect(finished == true)
    }
}
