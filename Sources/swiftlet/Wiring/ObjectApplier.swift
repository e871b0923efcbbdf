import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging

/// `--apply`: creates the objects of manifest files, or changes those that exist, as a merge of the file over what is there.
struct ObjectApplier {
    let client: APIClient
    let logger: Logger

    /// One object of a file.
    struct Loaded: Sendable {
        var path: String
        var object: JSONValue
    }

    func apply(_ objects: [Loaded]) async throws {
        for loaded in objects { try await apply(loaded.object, from: loaded.path) }
    }

    /// Reads and parses every file: done before a node is started, so that a mistake in one is told first and nothing is made.
    static func load(_ paths: [String]) throws -> [Loaded] {
        var objects: [Loaded] = []
        for path in expand(paths) {
            let text: String
            do throws(KernelError) { text = try FileSystem.readText(path, limit: 10 << 20) } catch {
                throw SettingError("--apply \(path): cannot be read: \(error.errno)")
            }
            let documents: [YAMLDocument]
            do { documents = try YAMLDocuments.parse(text, file: path) } catch {
                throw SettingError("--apply \(error)")
            }
            objects += documents.filter { $0.value != .null }.map { Loaded(path: path, object: $0.value) }
        }
        return objects
    }

    private static func expand(_ paths: [String]) -> [String] {
        paths.flatMap { path -> [String] in
            guard let names = try? FileSystem.list(path), !names.isEmpty else { return [path] }
            return names.filter { name in [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) } }
                .map { path + "/" + $0 }
        }
    }

    private func apply(_ object: JSONValue, from path: String) async throws {
        guard let kind = object["kind"]?.stringValue, let version = object["apiVersion"]?.stringValue,
            let name = object[path: "metadata", "name"]?.stringValue
        else { throw SettingError("--apply \(path): a document lacks apiVersion, kind or metadata.name") }
        guard let definition = Self.definitions.first(where: { $0.kind == kind && $0.apiVersion == version }) else {
            throw SettingError("--apply \(path): \(version) \(kind) is not a kind that this endpoint serves")
        }
        let namespace = definition.namespaced ? object[path: "metadata", "namespace"]?.stringValue ?? "default" : nil
        let strict = [APIRequest.Parameter("fieldValidation", "Strict")]
        do throws(APIError) {
            _ = try await client.send(
                APIRequest(
                    .post, definition.path(namespace: namespace), query: strict, body: object.serialized()))
        } catch  where error.isAlreadyExists {
            do throws(APIError) {
                _ = try await client.send(
                    APIRequest(
                        .patch, definition.path(namespace: namespace, name: name), query: strict,
                        body: object.serialized(), contentType: "application/merge-patch+json"))
            } catch { throw SettingError("--apply \(path): \(kind) \(name): \(error.message)") }
        } catch { throw SettingError("--apply \(path): \(kind) \(name): \(error.message)") }
        logger.info("applied", metadata: ["object": "\(kind) \(name)"])
    }

    private static let definitions: [ResourceDefinition] = [
        Pod.definition, ConfigMap.definition, Secret.definition, Namespace.definition, Service.definition,
        ServiceAccount.definition, Node.definition,
    ]
}
