/// Time since it was made, by an injected clock: what the state machines of this target are told as `now`.
struct MonotonicTime: Sendable {
    private let read: @Sendable () -> Duration

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        read = { start.duration(to: clock.now) }
    }

    var elapsed: Duration { read() }
}
