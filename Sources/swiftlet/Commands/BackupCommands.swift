import ArgumentParser
import ControlEndpoint
import KubernetesClient
import LinuxKernel
import Logging

/// Takes a backup of an endpoint that goes on serving.
struct ServerBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies what the running endpoint stores, and its keys, into a new directory.")

    // Takes all options, wherever they stand: --root is the server's.
    @ParentCommand var server: ServerCommand

    @Argument(help: "Where the backup goes: holds every secret of the endpoint, for root alone.")
    var directory: String

    func run() async throws {
        let root = try NodeSettings(server.options, listen: server.listen).root
        let kubeconfig = root + "/admin.kubeconfig"
        guard FileSystem.exists(kubeconfig) else {
            throw SettingError("there is no \(kubeconfig): give --root with the directory of a running endpoint")
        }
        var logger = Logger(label: "swiftlet")
        logger.logLevel = .error
        let client = try APIClient(configuration: Kubeconfig(contentsOf: kubeconfig).configuration(), logger: logger)
        do {
            _ = try await client.send(APIRequest(.post, EndpointBackup.requestPath))
            try EndpointBackup.collect(root: root, into: directory)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        print("backup written to \(directory)")
    }
}

/// Puts a backup in the place of what an endpoint that does not run has stored.
struct ServerRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Checks a backup and puts it in the place of what the endpoint, which must not run, has stored.")

    // Takes all options, wherever they stand: --root is the server's.
    @ParentCommand var server: ServerCommand

    @Argument(help: "A directory that swiftlet server backup has written.")
    var directory: String

    func run() async throws {
        let root = try NodeSettings(server.options, listen: server.listen).root
        let lock = try NodeLock(directories: [root])
        let count = try EndpointBackup.restore(directory, to: root)
        withExtendedLifetime(lock) {}
        print("\(count) objects restored; the former database is \(root)/state.db.replaced")
    }
}
