import ArgumentParser
import Glibc
import KubernetesAPI

extension ImageCommand {
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Hashes what is stored of images again, and gets what is damaged anew.",
            discussion: """
                Configurations and manifests are compared with their digests. Layers are kept unpacked, without the archive that \
                their digest is of: their files are compared with a digest taken after they were unpacked. What cannot be repaired \
                is not used any more: the next start of a container pulls it. Exits 1 when something stays damaged.
                """)
        @OptionGroup var node: RunOption
        @Argument(help: "Name, digest or ID; all images without one.") var reference: String?

        func run() async throws {
            let query = reference.map { [("reference", $0)] } ?? []
            let answer = try await LocalClient(run: node.run).json(.POST, "/v1/images/verify", query)
            var damaged = 0
            for item in answer.arrayValue ?? [] where !Self.show(item) { damaged += 1 }
            if damaged > 0 { throw SettingError("\(damaged) of \(answer.arrayValue?.count ?? 0) images are damaged") }
        }

        /// Whether the image is sound, or is so again.
        private static func show(_ item: JSONValue) -> Bool {
            let image = item["image"] ?? .null
            let id = image["id"]?.stringValue ?? ""
            let name = image["names"]?.arrayValue?.first?.stringValue ?? id
            let problems = (item["problems"]?.arrayValue ?? []).compactMap(\.stringValue)
            let unverified = (item["unverified"]?.arrayValue ?? []).compactMap(\.stringValue)
            let isRepaired = item["repaired"]?.boolValue == true
            let state =
                problems.isEmpty
                ? (unverified.isEmpty ? "ok" : "ok as far as known") : isRepaired ? "repaired" : "damaged"
            print("\(name): \(state) (\(id))")
            for line in problems { print("  damaged: \(line)") }
            for line in unverified { print("  not verified: \(line)") }
            if !problems.isEmpty, !isRepaired {
                print(
                    "  not repaired: \(item["repairProblem"]?.stringValue ?? ""); the next start of a container pulls it"
                )
            }
            return problems.isEmpty || isRepaired
        }
    }
}
