public import LinuxKernel

/// Why a volume could not be provided or taken away, in one line fit for the pod's event.
public struct VolumeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is: stable, for callers that decide by it.
    public enum Code: String, Hashable, Sendable {
        /// A ConfigMap, a Secret, a key or a volume the pod names does not exist (yet).
        case notFound
        /// The object could not be read from the control endpoint; it may exist.
        case sourceUnavailable
        /// The pod asks for something this node cannot do.
        case unsupported
        /// A value of the pod that validation should have refused.
        case invalid
        /// What is at a host path is not of the wanted type.
        case hostPathCheckFailed
        /// A path that leads, or may lead, outside its volume.
        case unsafePath
        /// A storage driver refused, or did not answer.
        case driver
        /// A storage driver could not make a volume larger.
        case expansion
        /// The kernel refused: ``VolumeError/cause`` has it.
        case kernel
    }

    public let code: Code
    /// The reason, without the volume's name.
    public let message: String
    /// The volume of the pod it is about, where it is about one.
    public let volume: String?
    public let cause: KernelError?

    public init(_ code: Code, _ message: String, volume: String? = nil, cause: KernelError? = nil) {
        self.code = code
        self.message = message
        self.volume = volume
        self.cause = cause
    }

    init(_ cause: KernelError) {
        self.init(.kernel, cause.description, cause: cause)
    }

    /// The same failure, said of `volume`.
    func of(volume: String) -> VolumeError {
        VolumeError(code, message, volume: volume, cause: cause)
    }

    public var description: String {
        volume.map { "volume \"\($0)\": \(message)" } ?? message
    }
}

/// Runs kernel work and gives its failure as a ``VolumeError``.
func volumeCall<Value: ~Copyable>(_ body: () throws(KernelError) -> Value) throws(VolumeError) -> Value {
    do { return try body() } catch { throw VolumeError(error) }
}
