/// Something a jailed process must not be able to do, tried.
public struct JailAttempt: Hashable, Sendable {
    /// What was tried: `mount a file system`.
    public let name: String
    /// The kernel's answer; 0 when it worked.
    public let errno: Int32
}
