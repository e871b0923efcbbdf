import Testing

@testable import Streaming

struct CopyProgressTests {
    @Test("it waits for every output that was begun, and for none when all have ended")
    func ended() async {
        let progress = CopyProgress()
        await progress.ended()
        progress.begin()
        progress.begin()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await progress.ended() }
            progress.end()
            progress.end()
        }
        await progress.drained(silence: .seconds(3600))
    }

    @Test("an output that is held open in silence is given up")
    func silent() async {
        let progress = CopyProgress()
        progress.begin()
        progress.arrived()
        progress.passedOn()
        await progress.drained(silence: .milliseconds(1))
    }

    @Test("a wait that is cancelled is over")
    func cancelled() async {
        let progress = CopyProgress()
        progress.begin()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await progress.ended() }
            group.addTask { await progress.drained(silence: .seconds(3600)) }
            group.cancelAll()
        }
    }
}
