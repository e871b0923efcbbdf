/// A clock of the simulated machine as one incarnation of the agent has it: it moves only when nothing else can be done.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class VirtualClock: Clock, @unchecked Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let incarnation: Incarnation
    private let world: World

    init(_ incarnation: Incarnation, world: World) {
        self.incarnation = incarnation
        self.world = world
    }

    var now: Instant {
        Instant(offset: world.mutations.agentTime(incarnation.timeline.now, wallOffset: world.wallOffset))
    }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await incarnation.suspend(
            until: world.mutations.machineTime(deadline.offset, wallOffset: world.wallOffset))
    }
}
