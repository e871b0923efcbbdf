/// Why init never became the container's process: the step and the kernel's error number, never text.
public struct LaunchFailure: Error, Hashable, Sendable {
    /// Index into ``LaunchPlan/steps``; ``noStep`` when the failure came before the first.
    public let step: UInt32
    public let errno: Int32

    public static let noStep = UInt32.max
    /// Between the last step but one and execve: the process that was to become visible in the container could not be cloned.
    public static let appearance = UInt32.max - 1

    public init(step: UInt32, errno: Int32) {
        self.step = step
        self.errno = errno
    }
}
