import ArgumentParser
import Glibc
import KubernetesAPI
import LinuxKernel

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Pulls, imports, lists, pins and removes images of this node.",
        subcommands: [
            List.self, Pull.self, Import.self, Remove.self, Pin.self, Unpin.self, Prune.self, Collect.self, Verify.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "Lists the images.")
        @OptionGroup var node: RunOption

        func run() async throws {
            let images = try await LocalClient(run: node.run).json(.GET, "/v1/images")
            var table = TextTable(["NAME", "ID", "SIZE", "LAST USED", "PINNED"])
            for image in images.arrayValue ?? [] {
                let names = image["names"]?.arrayValue?.compactMap(\.stringValue) ?? []
                let id = image["id"]?.stringValue?.dropFirst("sha256:".count).prefix(12) ?? ""
                for name in names.isEmpty ? ["<none>"] : names {
                    table.add([
                        name, String(id), TextTable.bytes(image["sizeBytes"]?.intValue ?? 0), Self.lastUsed(image),
                        image["pinned"]?.boolValue == true ? "yes" : "no",
                    ])
                }
            }
            print(table.text, terminator: "")
        }

        private static func lastUsed(_ image: JSONValue) -> String {
            if image["broken"]?.boolValue == true { return "damaged" }
            if image["inUse"]?.boolValue == true { return "in use" }
            guard let time = image["lastUsed"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }) else { return "never" }
            return TextTable.age(seconds: Timestamp.now().seconds - time.seconds) + " ago"
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Imports a docker-archive or oci-archive file.")
        @OptionGroup var node: RunOption
        @Argument(help: "The archive; may be compressed with gzip or zstd.") var file: String
        @Option(help: "Name for the image, such as example.org/app:1.0.") var name: String?
        @Flag(inversion: .prefixedNo, help: "Keep the image when images nobody needs are removed.") var pin = true

        func run() async throws {
            var query = [("path", try absolute(file))]
            if let name { query.append(("name", name)) }
            if !pin { query.append(("pinned", "false")) }
            let images = try await LocalClient(run: node.run).json(.POST, "/v1/images", query)
            for image in images.arrayValue ?? [] {
                let names = image["names"]?.arrayValue?.compactMap(\.stringValue) ?? []
                print("imported \(names.joined(separator: ", ")) \(image["id"]?.stringValue ?? "")")
            }
        }

        /// The node has another working directory.
        private func absolute(_ path: String) throws -> String {
            guard let resolved = realpath(path, nil) else {
                throw SettingError("\(path): \(KernelError.last("open").errno)")
            }
            defer { free(resolved) }
            return String(cString: resolved)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Removes an image, or one of its names.")
        @OptionGroup var node: RunOption
        @Argument(help: "Name, digest or ID.") var reference: String

        func run() async throws {
            let image = try await LocalClient(run: node.run).json(.DELETE, "/v1/images", [("reference", reference)])
            print("removed \(reference) (\(image["id"]?.stringValue ?? ""))")
        }
    }
}
