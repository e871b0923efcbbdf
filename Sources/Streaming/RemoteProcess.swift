/// What a remote command's session works on: a process's streams and its end.
public struct RemoteProcess: Sendable {
    /// Descriptors, owned by whoever runs the session from now on; -1 where there is none. With a terminal, input and output are two
    /// descriptors of it.
    public var input: Int32
    public var output: Int32
    public var error: Int32
    /// Waits for the end. Cancelled, it ends the process (or, of an attach, only the attachment).
    public var wait: @Sendable () async -> RemoteCommandStatus
    public var resize: @Sendable (TerminalSize) -> Void
    /// The client's input has ended.
    public var inputEnded: @Sendable () async -> Void
    /// Of a session that has no sense without output: what became of it when all its outputs have ended.
    public var outputEnded: (@Sendable () async -> RemoteCommandStatus)?

    public init(
        input: Int32 = -1, output: Int32 = -1, error: Int32 = -1,
        resize: @escaping @Sendable (TerminalSize) -> Void = { _ in },
        inputEnded: @escaping @Sendable () async -> Void = {},
        outputEnded: (@Sendable () async -> RemoteCommandStatus)? = nil,
        wait: @escaping @Sendable () async -> RemoteCommandStatus
    ) {
        self.input = input
        self.output = output
        self.error = error
        self.resize = resize
        self.inputEnded = inputEnded
        self.outputEnded = outputEnded
        self.wait = wait
    }
}
