import KubernetesAPI

/// What one manifest defines: a file, or the document at a URL. Pure.
struct ManifestFile: Hashable, Sendable {
    /// An object and where it is written.
    struct Placed<Object: Hashable & Sendable>: Hashable, Sendable {
        var object: Object
        /// `file:line:column: metadata.name`, to put in front of a message.
        var location: String
    }

    /// The largest manifest read, in bytes.
    static let maximumBytes = 10 << 20

    var pods: [Placed<Pod>] = []
    var configMaps: [Placed<ConfigMap>] = []
    var secrets: [Placed<Secret>] = []
    var claims: [Placed<PersistentVolumeClaim>] = []
    var volumes: [Placed<PersistentVolume>] = []

    /// Reads YAML with any number of documents, or JSON.
    ///
    /// A file is in force as a whole or not at all: half of an application started is harder to understand than none.
    /// - Parameters:
    ///   - file: names the text in messages.
    ///   - origin: where it comes from; nil for the file of that name.
    /// - Throws: `ManifestProblems` with every problem found.
    static func parse(
        _ text: String, file: String, origin: StaticPod.Origin? = nil, nodeName: String
    ) throws(ManifestProblems) -> ManifestFile {
        let documents: [YAMLDocument]
        do {
            documents = try YAMLDocuments.parse(text, file: file)
        } catch {
            throw ManifestProblems([ManifestProblem(file: file, message: "\(error)")])
        }
        var reader = Reader(file: file, origin: origin ?? .file(file), nodeName: nodeName)
        for document in documents { reader.read(document, document.value, at: .root, depth: 0) }
        guard reader.problems.isEmpty else { throw ManifestProblems(reader.problems) }
        return reader.manifest
    }

    struct ManifestProblems: Error {
        var list: [ManifestProblem]
        init(_ list: [ManifestProblem]) { self.list = list }
    }

    private struct Reader {
        let file: String
        let origin: StaticPod.Origin
        let nodeName: String
        var manifest = ManifestFile()
        var problems: [ManifestProblem] = []

        private static let kinds = "Pod, ConfigMap, Secret, PersistentVolumeClaim or PersistentVolume"

        /// A file with a thousand mistakes has one cause.
        static let problemLimit = 20

        mutating func read(_ document: YAMLDocument, _ value: JSONValue, at path: FieldPath, depth: Int) {
            guard problems.count < Self.problemLimit else { return }
            let kind = value["kind"]?.stringValue ?? ""
            let version = value["apiVersion"]?.stringValue ?? ""
            guard version == "v1" || kind.isEmpty else {
                return refuse(document, path.child("apiVersion"), unsupported(kind, version))
            }
            switch kind {
            case "Pod":
                guard var pod = decode(Pod.self, document, value, at: path) else { return }
                pod = StaticPod.make(from: pod, origin: origin, nodeName: nodeName)
                check(
                    pod.validate() + pod.validateCreate() + StaticPod.validateReferences(pod.spec), document, at: path)
                manifest.pods.append(placed(pod, document, path))
            case "ConfigMap", "Secret", "PersistentVolumeClaim", "PersistentVolume", "ConfigMapList", "SecretList",
                "PersistentVolumeClaimList", "PersistentVolumeList":
                // A pod of a URL must not be able to replace an object that files on this node define.
                guard case .file = origin else {
                    return refuse(document, path.child("kind"), "only v1 Pod and PodList can come from a URL")
                }
                readObject(document, value, kind, at: path, depth: depth)
            case "List", "PodList": readItems(document, value, kind, at: path, depth: depth)
            case "":
                refuse(document, path.child("kind"), "Required value: \(Self.kinds)")
            default:
                refuse(document, path.child("kind"), unsupported(kind, version))
            }
        }

        private mutating func readObject(
            _ document: YAMLDocument, _ value: JSONValue, _ kind: String, at path: FieldPath, depth: Int
        ) {
            switch kind {
            case "ConfigMap":
                guard var map = decode(ConfigMap.self, document, value, at: path) else { return }
                place(&map.metadata)
                check(map.validate(), document, at: path)
                manifest.configMaps.append(placed(map, document, path))
            case "Secret":
                guard var secret = decode(Secret.self, document, value, at: path) else { return }
                place(&secret.metadata)
                secret.applyDefaults()
                check(secret.validate(), document, at: path)
                manifest.secrets.append(placed(secret, document, path))
            case "PersistentVolumeClaim":
                guard var claim = decode(PersistentVolumeClaim.self, document, value, at: path) else { return }
                place(&claim.metadata)
                check(claim.validate() + claim.validateManifest(), document, at: path)
                manifest.claims.append(placed(claim, document, path))
            case "PersistentVolume":
                guard let volume = decode(PersistentVolume.self, document, value, at: path) else { return }
                check(volume.validate() + volume.validateManifest(), document, at: path)
                manifest.volumes.append(placed(volume, document, path))
            default: readItems(document, value, kind, at: path, depth: depth)
            }
        }

        private mutating func readItems(
            _ document: YAMLDocument, _ value: JSONValue, _ kind: String, at path: FieldPath, depth: Int
        ) {
            guard depth == 0, let items = value["items"]?.arrayValue else {
                return refuse(document, path.child("items"), "Required value: a \(kind) holds a list of objects")
            }
            for (index, item) in items.enumerated() {
                // The items of a typed list need not repeat its kind.
                var item = item
                if kind != "List", item.objectValue != nil {
                    item["kind"] = item["kind"] ?? .string(String(kind.dropLast(4)))
                    item["apiVersion"] = item["apiVersion"] ?? "v1"
                }
                read(document, item, at: path.child("items").index(index), depth: depth + 1)
            }
        }

        private func unsupported(_ kind: String, _ version: String) -> String {
            let name = "\(version.prefix(64))/\(kind.prefix(64))"
            return "\(name) cannot be run from a manifest; use v1 \(Self.kinds)"
        }

        private func place(_ metadata: inout ObjectMeta) {
            if metadata.namespace?.isEmpty ?? true { metadata.namespace = "default" }
        }

        private func placed<Object: KubernetesResource>(
            _ object: Object, _ document: YAMLDocument, _ path: FieldPath
        ) -> Placed<Object> {
            Placed(object: object, location: document.location(of: path.child("metadata", "name")))
        }

        /// A field the type does not have is refused: a mistyped restriction must not turn into none.
        private mutating func decode<T: Decodable>(
            _ type: T.Type, _ document: YAMLDocument, _ value: JSONValue, at path: FieldPath
        ) -> T? {
            let unknown = Schema(of: type).unknownFieldPaths(in: value)
            for field in unknown.prefix(Self.problemLimit) {
                refuse(document, path + field, "unknown field; check its spelling and indentation")
            }
            do {
                let object = try JSONValueDecoder().decode(type, from: value)
                return unknown.isEmpty ? object : nil
            } catch let error as JSONDecodingError {
                refuse(document, path + error.path, error.reason)
            } catch {
                refuse(document, path, "\(error)")
            }
            return nil
        }

        private mutating func check(_ errors: [FieldError], _ document: YAMLDocument, at path: FieldPath) {
            for error in errors.prefix(Self.problemLimit) { refuse(document, path + error.field, error.body) }
        }

        private mutating func refuse(_ document: YAMLDocument, _ path: FieldPath, _ reason: String) {
            problems.append(ManifestProblem(file: file, message: "\(document.location(of: path)): \(reason)"))
        }
    }
}

private func + (left: FieldPath, right: FieldPath) -> FieldPath {
    FieldPath(elements: left.elements + right.elements)
}
