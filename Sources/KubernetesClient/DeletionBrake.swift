/// When a complete list lacks much of what was there, it may be the server that has lost it: restored from an older backup, or
/// pointed at an empty store. What is missing is then kept for a while, as a deletion cannot be taken back.
///
/// Single deletions and `DELETED` events are believed at once.
public struct DeletionBrake: Sendable, Hashable {
    /// Fewer missing objects than these are believed.
    public var minimum: Int
    /// How long a list has to be true before it is believed.
    public var hold: Duration

    public init(minimum: Int = 3, hold: Duration = .seconds(300)) {
        self.minimum = minimum
        self.hold = hold
    }

    /// Whether the loss of `missing` of `known` objects at once is too much to be believed: more than half of them.
    public func holds(missing: Int, of known: Int) -> Bool {
        missing >= max(1, minimum) && missing > known / 2
    }
}
