import ArgumentParser

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Runs the control endpoint and the node agent in the foreground.")

    @OptionGroup var options: NodeOptions

    @Option(help: "Where the control endpoint listens. (default: 127.0.0.1:6443)")
    var listen: String?

    @Option(parsing: .upToNextOption, help: "Files or directories to apply once the endpoint is ready.")
    var apply: [String] = []

    func run() async throws {
        let settings = try NodeSettings(options, listen: listen)
        try await NodeProcess.run(settings, mode: .endpointAndAgent(apply: try ObjectApplier.load(apply)))
    }
}

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Runs only the node agent, against a Kubernetes API server.")

    @OptionGroup var options: NodeOptions

    @Option(help: "How to reach the API server, with this node's client certificate.")
    var kubeconfig: String

    func run() async throws {
        let settings = try NodeSettings(options, listen: nil)
        try await NodeProcess.run(settings, mode: .agent(kubeconfig: kubeconfig))
    }
}

struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Runs only the control endpoint.",
        subcommands: [ServerBackupCommand.self, ServerRestoreCommand.self])

    @OptionGroup var options: NodeOptions

    @Option(help: "Where the control endpoint listens. (default: 127.0.0.1:6443)")
    var listen: String?

    func run() async throws {
        let settings = try NodeSettings(options, listen: listen)
        try await NodeProcess.run(settings, mode: .endpoint)
    }
}
