import KubernetesClient
import Testing

@testable import NodeAgent

@Suite struct WatchLedgerTests {
    private let a = ObjectKey(namespace: "ns", name: "a")
    private let b = ObjectKey(namespace: "ns", name: "b")

    @Test("an object is watched once for all its pods, from the first to the last")
    func shared() {
        var ledger = WatchLedger()
        #expect(ledger.set([a, b], for: "one") == WatchLedger.Change(started: [a, b]))
        #expect(ledger.set([a], for: "two") == WatchLedger.Change())
        #expect(ledger.pods(using: a) == ["one", "two"])
        #expect(ledger.set([], for: "one") == WatchLedger.Change(stopped: [b]))
        #expect(ledger.pods(using: a) == ["two"])
        #expect(ledger.set([], for: "two") == WatchLedger.Change(stopped: [a]))
        #expect(ledger.pods(using: a).isEmpty)
        #expect(ledger.set([], for: "two") == WatchLedger.Change())
    }

    @Test("what a pod uses now replaces what it used before")
    func replaced() {
        var ledger = WatchLedger()
        _ = ledger.set([a], for: "one")
        #expect(ledger.set([a], for: "one") == WatchLedger.Change())
        #expect(ledger.set([b], for: "one") == WatchLedger.Change(started: [b], stopped: [a]))
    }
}
