import ArgumentParser

@main
struct SwiftletCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "swiftlet",
        abstract: "A node agent that runs Kubernetes pods on this machine, with its own container runtime.",
        version: version,
        subcommands: [
            UpCommand.self, AgentCommand.self, ServerCommand.self, CheckCommand.self, PodsCommand.self, WhyCommand.self,
            LogsCommand.self, TopCommand.self, StopCommand.self, ImageCommand.self, VersionCommand.self,
        ])
}
