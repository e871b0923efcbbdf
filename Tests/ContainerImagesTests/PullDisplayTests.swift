import KubernetesAPI
import Testing

@testable import ContainerImages

@Suite("PullDisplay")
struct PullDisplayTests {
    private func layer(_ stage: PullProgress.Layer.Stage, _ received: Int64) -> PullProgress {
        PullProgress(layers: [
            PullProgress.Layer(
                digest: "sha256:0123456789abcdef", totalBytes: 100 << 20, receivedBytes: received, stage: stage)
        ])
    }

    @Test("a bar tells bytes, rate and what is left, and a stall")
    func bars() {
        var display = PullDisplay()
        _ = display.bars(layer(.downloading, 0), now: .zero, columns: 80)
        let moving = display.bars(layer(.downloading, 10 << 20), now: .seconds(1), columns: 80)
        #expect(moving == ["0123456789ab [=                 ] 10.0 MiB of 100.0 MiB, 10.0 MiB/s, 9 s left"])
        let stalled = display.bars(layer(.downloading, 10 << 20), now: .seconds(12), columns: 80)
        #expect(stalled == ["0123456789ab [=                 ] 10.0 MiB of 100.0 MiB, stalled for 11 s"])
        let done = display.bars(layer(.done, 100 << 20), now: .seconds(13), columns: 80)
        #expect(done == ["0123456789ab [==================] done, 100.0 MiB"])
    }

    @Test("lines tell each change once, and a long download every five seconds")
    func lines() {
        var display = PullDisplay()
        #expect(display.lines(layer(.waiting, 0), now: .zero) == [])
        #expect(display.lines(layer(.downloading, 0), now: .seconds(1)).count == 1)
        #expect(display.lines(layer(.downloading, 1 << 20), now: .seconds(2)) == [])
        #expect(display.lines(layer(.downloading, 20 << 20), now: .seconds(6)).count == 1)
        #expect(display.lines(layer(.done, 100 << 20), now: .seconds(7)) == ["0123456789ab done, 100.0 MiB"])
        #expect(display.lines(layer(.done, 100 << 20), now: .seconds(8)) == [])
    }

    @Test("progress survives its JSON")
    func json() {
        let progress = layer(.storing, 5)
        #expect(PullProgress(progress.json) == progress)
        #expect(PullProgress([["digest": 5]]) == nil)
    }
}
