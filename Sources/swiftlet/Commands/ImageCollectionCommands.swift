import ArgumentParser
import Glibc
import KubernetesAPI

/// What keeps images, and what removes those nobody needs.
extension ImageCommand {
    struct Pin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pin", abstract: "Keeps an image when images nobody needs are removed.")
        @OptionGroup var node: RunOption
        @Argument(help: "Name, digest or ID.") var reference: String

        func run() async throws {
            let image = try await LocalClient(run: node.run).json(
                .POST, "/v1/images/pin", [("reference", reference), ("pinned", "true")])
            print("pinned \(reference) (\(image["id"]?.stringValue ?? ""))")
        }
    }

    struct Unpin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unpin", abstract: "Lets an image go once nobody needs it.")
        @OptionGroup var node: RunOption
        @Argument(help: "Name, digest or ID.") var reference: String

        func run() async throws {
            let image = try await LocalClient(run: node.run).json(
                .POST, "/v1/images/pin", [("reference", reference), ("pinned", "false")])
            print("unpinned \(reference) (\(image["id"]?.stringValue ?? ""))")
        }
    }

    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune", abstract: "Removes every image that no pod needs and that is not pinned.")
        @OptionGroup var node: RunOption

        func run() async throws {
            try ImageCommand.show(try await LocalClient(run: node.run).json(.POST, "/v1/images/prune"))
        }
    }

    struct Collect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "gc",
            abstract: "Removes the images that disk use and age demand, now instead of within 5 minutes.")
        @OptionGroup var node: RunOption

        func run() async throws {
            try ImageCommand.show(try await LocalClient(run: node.run).json(.POST, "/v1/images/gc"))
        }
    }

    /// What went; a failure when it was not enough.
    private static func show(_ report: JSONValue) throws {
        for image in report["removed"]?.arrayValue ?? [] {
            let id = image["id"]?.stringValue ?? ""
            let names = (image["names"]?.arrayValue ?? []).compactMap(\.stringValue)
            print("removed \(names.isEmpty ? id : names.joined(separator: ", ")) (\(id))")
        }
        print("freed \(TextTable.bytes(report["freedBytes"]?.intValue ?? 0))")
        if let problem = report["problem"]?.stringValue { throw SettingError(problem) }
    }
}
