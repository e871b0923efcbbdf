public import LinuxKernel

/// Why the pod network refused or failed: one line for a user, and a code for a program.
public struct NetworkError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        /// A field of the configuration, or what it would collide with on this host, is wrong: repeating does not help.
        case invalidConfiguration
        /// Every address of a pod CIDR is taken: it helps to wait, or a larger CIDR.
        case addressesExhausted
        /// ``NetworkPlugin/start()`` has not succeeded yet.
        case notStarted
        /// The kernel refused something; `cause` says what.
        case kernel
    }

    public let code: Code
    public let message: String
    public let cause: KernelError?

    init(_ code: Code, _ message: String, cause: KernelError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    static func invalidConfiguration(_ message: String) -> NetworkError {
        NetworkError(.invalidConfiguration, message)
    }

    /// A kernel call that failed while doing `what`.
    static func kernel(_ what: String, _ cause: KernelError) -> NetworkError {
        NetworkError(.kernel, "\(what): \(cause)", cause: cause)
    }

    public var description: String { message }
}
