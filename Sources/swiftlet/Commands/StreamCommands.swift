import ArgumentParser
import Glibc
import Streaming

struct ExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", _superCommandName: "swiftlet",
        abstract: "Runs a command in a pod's container; its exit code becomes this one's.",
        usage: "swiftlet exec [-i] [-t] [-c CONTAINER] [-n NAMESPACE] POD -- COMMAND [ARGUMENT]…")

    @OptionGroup var node: RunOption
    @OptionGroup var streams: StreamOptions
    @Argument(parsing: .postTerminator, help: "The command, after --.") var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("give the command after --, as in: swiftlet exec web -- ls -l /") }
    }

    func run() throws {
        try streams.run(.exec(command), PodPlace(streams), LocalClient(run: node.run))
    }
}

extension ExecCommand {
    /// Runs what the arguments ask for, and ends with its exit code.
    ///
    /// People wait for exec, and reading its arguments by reflection takes as long as all the rest of it: the usual spellings are
    /// read here. Everything else, and what is wrong, is the parser's.
    static func start(_ arguments: ArraySlice<String>) {
        guard let command = plain(arguments) else { return main(Array(arguments)) }
        do { try command.run() } catch { exit(withError: error) }
    }

    /// Nil for arguments that the parser is to read.
    private static func plain(_ arguments: ArraySlice<String>) -> ExecCommand? {
        guard let end = arguments.firstIndex(of: "--"), end + 1 < arguments.endIndex else { return nil }
        var (pod, namespace, container, run) = (String?.none, String?.none, String?.none, String?.none)
        var (hasInput, isTerminal, isQuiet) = (false, false, false)
        var rest = arguments[..<end]
        while let argument = rest.popFirst() {
            switch argument {
            case "-i", "--stdin": hasInput = true
            case "-t", "--tty": isTerminal = true
            case "-it", "-ti": (hasInput, isTerminal) = (true, true)
            case "-q", "--quiet": isQuiet = true
            case "-n", "--namespace", "-c", "--container", "--run":
                guard let value = rest.popFirst(), !value.hasPrefix("-") else { return nil }
                switch argument {
                case "--run": run = value
                case "-n", "--namespace": namespace = value
                default: container = value
                }
            default:
                guard !argument.hasPrefix("-"), pod == nil else { return nil }
                pod = argument
            }
        }
        guard let pod, namespace == nil || !pod.contains("/") else { return nil }
        var place = RunOption()
        place.run = run ?? RunOption.standard
        var options = StreamOptions()
        options.pod = pod
        options.namespace = namespace
        options.container = container
        options.hasInput = hasInput
        options.isTerminal = isTerminal
        options.quiet = isQuiet
        var exec = ExecCommand()
        exec.node = place
        exec.streams = options
        exec.command = Array(arguments[(end + 1)...])
        return exec
    }
}

struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Shows what a pod's container writes from now on, and gives it input.")

    @OptionGroup var node: RunOption
    @OptionGroup var streams: StreamOptions

    func run() async throws {
        let client = LocalClient(run: node.run)
        var place = PodPlace(streams)
        try await place.findTerminal(client)
        try streams.run(.attach, place, client)
    }
}

/// What exec and attach have in common; the names are kubectl's.
struct StreamOptions: ParsableArguments {
    enum Action {
        case exec([String])
        case attach
    }

    @Argument(help: "POD or NAMESPACE/POD.") var pod: String
    @Option(name: .shortAndLong, help: "Namespace, when the pod's name is given alone. (default: default)")
    var namespace: String?
    @Option(name: .shortAndLong, help: "Container, when the pod has several. (default: its first)")
    var container: String?
    @Flag(name: [.customShort("i"), .customLong("stdin")], help: "Pass standard input on.") var hasInput = false
    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Standard input is a terminal, and is handed through.")
    var isTerminal = false
    @Flag(name: .shortAndLong, help: "Nothing on standard error but what comes from the container.") var quiet = false

    func validate() throws {
        if namespace != nil, pod.contains("/") {
            throw ValidationError("give the namespace once: as NAMESPACE/POD, or with --namespace")
        }
    }

    /// Ends this program with the command's exit code.
    func run(_ action: Action, _ place: PodPlace, _ client: LocalClient) throws {
        let connection = try client.connect()
        defer { close(connection) }
        let terminal = terminal(action, place)
        defer { terminal.raw?.restore() }
        let request = RemoteCommandRequest(
            command: action.command, hasInput: hasInput, hasOutput: true, hasError: true,
            isTerminal: terminal.isWanted)
        let segments = [place.namespace, place.pod, place.container].compactMap(\.self).map(LocalClient.encode)
            .joined(separator: "/")
        let target = "/\(action.path)/\(segments)?\(UpgradeRequest.query(request.nodeQuery))"
        var remote = RemoteCommandClient(
            socket: connection, input: hasInput ? STDIN_FILENO : -1, output: STDOUT_FILENO, error: STDERR_FILENO,
            terminal: terminal.raw?.watch())
        let status: RemoteCommandStatus
        do throws(StreamingError) { status = try remote.run(target) } catch { throw SettingError(error.message) }
        switch status {
        case .exited(code: 0): return
        case .exited(let code):
            terminal.raw?.restore()
            say("command terminated with exit code \(code)")
            throw ExitCode(code)
        case .failed(let reason): throw SettingError(reason)
        }
    }

    /// Whether the other side is to have a terminal, and ours if it is handed through: as kubectl has it.
    private func terminal(_ action: Action, _ place: PodPlace) -> (isWanted: Bool, raw: RawTerminal?) {
        // Who joins a container gets what that has.
        if case .attach = action, isTerminal != place.isTerminal {
            if isTerminal { say("unable to use a TTY: container \(place.container ?? "") has none") }
            return (place.isTerminal, nil)
        }
        guard isTerminal, hasInput else { return (false, nil) }
        guard let raw = RawTerminal() else {
            say("unable to use a TTY: standard input is not a terminal")
            if case .attach = action { return (true, nil) }
            return (false, nil)
        }
        return (true, raw)
    }

    private func say(_ line: String) {
        guard !quiet else { return }
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}

extension StreamOptions.Action {
    var path: String {
        switch self {
        case .exec: "exec"
        case .attach: "attach"
        }
    }

    var command: [String] {
        switch self {
        case .exec(let command): command
        case .attach: []
        }
    }
}
