/// Which streams a client of exec or attach wants (query parameters of the node's API).
public struct RemoteCommandRequest: Hashable, Sendable {
    public var command: [String]
    public var hasInput: Bool
    public var hasOutput: Bool
    public var hasError: Bool
    public var isTerminal: Bool

    public init(
        command: [String] = [], hasInput: Bool = false, hasOutput: Bool = false, hasError: Bool = false,
        isTerminal: Bool = false
    ) {
        self.command = command
        self.hasInput = hasInput
        self.hasOutput = hasOutput
        // A terminal has one output.
        self.hasError = hasError && !isTerminal
        self.isTerminal = isTerminal
    }

    /// Reads both spellings: the node's (`input`, `output`, `error`) and the API's (`stdin`, `stdout`, `stderr`).
    /// - Throws: when no stream is wanted at all.
    public init(query: [(name: String, value: String)]) throws(StreamingError) {
        func flag(_ names: String...) -> Bool {
            guard let value = query.first(where: { names.contains($0.name) })?.value else { return false }
            // As the API reads booleans: some clients write True, and the name alone is enough.
            return value != "0" && value.lowercased() != "false"
        }
        self.init(
            command: query.filter { $0.name == "command" }.map(\.value), hasInput: flag("input", "stdin"),
            hasOutput: flag("output", "stdout"), hasError: flag("error", "stderr"), isTerminal: flag("tty"))
        guard hasInput || hasOutput || hasError else {
            throw StreamingError("you must specify at least 1 of stdin, stdout, stderr")
        }
    }

    /// The same for the node's API.
    public var nodeQuery: [(name: String, value: String)] {
        let flags = [("input", hasInput), ("output", hasOutput), ("error", hasError), ("tty", isTerminal)]
        return command.map { ("command", $0) } + flags.filter(\.1).map { ($0.0, "1") }
    }
}
