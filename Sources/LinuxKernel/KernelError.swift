public import SystemPackage

/// A system call that failed: what was tried, on what, and the kernel's answer.
///
/// `description` is one line fit for a user: `mkdir "/sys/fs/cgroup/x": Permission denied`.
public struct KernelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call or operation, as in its man page.
    public let operation: String
    /// The path, name or identifier it was tried on; empty when there is none.
    public let subject: String
    public let errno: Errno

    public init(_ operation: String, _ subject: String = "", errno: Errno) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
    }

    /// Takes the calling thread's `errno`; call it before anything else can change it.
    public static func last(_ operation: String, _ subject: String = "") -> KernelError {
        KernelError(operation, subject, errno: Errno.current)
    }

    public var description: String {
        subject.isEmpty ? "\(operation): \(errno)" : "\(operation) \"\(subject)\": \(errno)"
    }
}

/// Runs a call that returns -1 on failure, again for as long as it is interrupted by a signal.
@discardableResult
public func kernelCall<Value: FixedWidthInteger>(
    _ operation: String, _ subject: @autoclosure () -> String = "", _ body: () -> Value
) throws(KernelError) -> Value {
    while true {
        let value = body()
        if value != -1 { return value }
        let errno = Errno.current
        if errno == .interrupted { continue }
        throw KernelError(operation, subject(), errno: errno)
    }
}
