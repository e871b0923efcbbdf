public import LinuxKernel
public import MonitorCore

/// Why the runtime could not do what was asked, in one line for the pod's status and event.
public struct RuntimeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        case invalidConfiguration
        /// An instance of this (pod, container, attempt) exists: the cgroup's mkdir said so.
        case alreadyExists
        case notFound
        case invalidState
        /// A step of the launch failed: ``RuntimeError/launchFailure`` has it.
        case launchFailed
        case monitorLost
        case deadlineExceeded
        case kernel
    }

    public let code: Code
    public let message: String
    public let launchFailure: LaunchFailure?

    public init(_ code: Code, _ message: String, launchFailure: LaunchFailure? = nil) {
        self.code = code
        self.message = message
        self.launchFailure = launchFailure
    }

    public init(_ cause: KernelError) {
        self.init(.kernel, cause.description)
    }

    public var description: String { message }
}
