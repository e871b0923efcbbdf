import ArgumentParser
import ContainerImages
import LinuxKernel

@main
struct SwiftletCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "swiftlet",
        abstract: "A node agent that runs Kubernetes pods on this machine, with its own container runtime.",
        version: version,
        subcommands: [
            UpCommand.self, AgentCommand.self, ServerCommand.self, CheckCommand.self, PodsCommand.self, WhyCommand.self,
            LogsCommand.self, ExecCommand.self, AttachCommand.self, TopCommand.self, StopCommand.self,
            ImageCommand.self, VersionCommand.self,
        ])

    static func main() async {
        // Before anything else: what it becomes then has no second thread.
        if UnpackLauncherProgram.isAsked(CommandLine.arguments) { UnpackLauncherProgram.run() }
        ProcessMemory.limitArenas()
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == ExecCommand.configuration.commandName { return ExecCommand.start(arguments.dropFirst()) }
        await main(nil)
    }
}
