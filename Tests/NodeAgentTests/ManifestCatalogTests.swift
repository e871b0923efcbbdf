import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What all manifest files together define")
struct ManifestCatalogTests {
    private func file(_ path: String, _ pods: [(name: String, image: String)], map: String? = nil) throws
        -> ManifestCatalog.Reading
    {
        var text = pods.map {
            "---\n{apiVersion: v1, kind: Pod, metadata: {name: \($0.name)}, spec: {containers: [{name: c, image: 'i\($0.image)'}]}}\n"
        }.joined()
        if let map { text += "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: \(map)}}\n" }
        return .good(try ManifestFile.parse(text, file: path, nodeName: "n"))
    }

    private func names(_ pods: [Pod]) -> [String] { pods.map { $0.metadata.name ?? "" } }

    @Test("a changed definition is an end and a beginning, an unchanged one is nothing")
    func changes() throws {
        var catalog = ManifestCatalog()
        let first = catalog.update("a", try file("a", [("web", "1"), ("db", "1")]))
        #expect(names(first.applied) == ["db-n", "web-n"])
        #expect(first.removed.isEmpty)
        let second = catalog.update("a", try file("a", [("web", "2"), ("db", "1")]))
        #expect(names(second.removed) == ["web-n"])
        #expect(names(second.applied) == ["web-n"])
        #expect(second.removed.first?.metadata.uid != second.applied.first?.metadata.uid)
        let third = catalog.update("a", .gone)
        #expect(names(third.removed) == ["db-n", "web-n"])
    }

    @Test("a file edited to something bad keeps its pods and says so")
    func badEdit() throws {
        var catalog = ManifestCatalog()
        _ = catalog.update("a", try file("a", [("web", "1")]))
        let problem = ManifestProblem(file: "a", message: "a:1:1: no")
        let changes = catalog.update("a", .bad([problem]))
        #expect(changes.removed.isEmpty && changes.applied.isEmpty)
        #expect(catalog.problems.map(\.message) == ["a:1:1: no; what the file defined before stays in force"])
        _ = catalog.update("b", .bad([problem]))
        #expect(catalog.problems.last?.message == "a:1:1: no")
        _ = catalog.update("a", try file("a", [("web", "1")]))
        _ = catalog.update("b", .gone)
        #expect(catalog.problems.isEmpty)
    }

    @Test("the first file to define a name has it; the next takes over when it is gone")
    func duplicates() throws {
        var catalog = ManifestCatalog()
        _ = catalog.update("b", try file("b", [("web", "b")], map: "m"))
        let taken = catalog.update("a", try file("a", [("web", "a"), ("other", "a")], map: "m"))
        #expect(names(taken.removed) == ["web-n"])
        #expect(names(taken.applied) == ["other-n", "web-n"])
        #expect(catalog.problems.count == 2)
        #expect(
            catalog.problems.contains {
                $0.message.contains("Duplicate value: Pod default/web-n is already defined in a")
            })
        let back = catalog.update("a", .gone)
        #expect(names(back.applied) == ["web-n"])
        #expect(catalog.configMaps.keys.sorted() == ["default/m"])
        #expect(catalog.problems.isEmpty)
    }
}
