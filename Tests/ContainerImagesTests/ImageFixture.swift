import KubernetesAPI

@testable import ContainerImages

/// An image to be written as docker-archive or oci-archive, with every document open to change.
struct ImageFixture {
    var tags: [String] = ["example:1"]
    /// Uncompressed layers, bottom first.
    var layers: [[UInt8]]
    var compression = TarWriter.Compression.none
    var config: [String: JSONValue] = [:]
    var os = "linux"
    var architecture = ImagePlatform.host.architecture
    /// Instead of the layers' true digests.
    var diffIDs: [String]?

    init(_ layers: [[TarWriter.Entry]], tags: [String] = ["example:1"]) {
        self.layers = layers.map { TarWriter.archive($0) }
        self.tags = tags
    }

    var configBytes: [UInt8] {
        let digests = diffIDs ?? layers.map { ContentDigest(of: $0).description }
        let document: JSONValue = [
            "architecture": .string(architecture), "os": .string(os), "created": "2024-05-06T07:08:09Z",
            "config": .object(config),
            "rootfs": ["type": "layers", "diff_ids": .array(digests.map { .string($0) })],
        ]
        return document.serialized()
    }

    var id: String { ContentDigest(of: configBytes).description }
    var storedLayers: [[UInt8]] { layers.map { TarWriter.compress($0, compression) } }

    // MARK: docker-archive

    static func dockerEntries(_ images: [ImageFixture]) -> [TarWriter.Entry] {
        var entries: [TarWriter.Entry] = []
        var manifest: [JSONValue] = []
        var written: Set<String> = []
        for image in images {
            var names: [JSONValue] = []
            for layer in image.storedLayers {
                let name = ContentDigest(of: layer).hexadecimal + "/layer.tar"
                names.append(.string(name))
                guard written.insert(name).inserted else { continue }
                entries.append(TarWriter.Entry(name: Array(name.utf8), content: layer))
            }
            let configName = ContentDigest(of: image.configBytes).hexadecimal + ".json"
            entries.append(TarWriter.Entry(name: Array(configName.utf8), content: image.configBytes))
            manifest.append([
                "Config": .string(configName), "RepoTags": .array(image.tags.map { .string($0) }),
                "Layers": .array(names),
            ])
        }
        entries.append(
            TarWriter.Entry(name: Array("manifest.json".utf8), content: JSONValue.array(manifest).serialized()))
        return entries
    }

    static func docker(_ images: [ImageFixture]) -> [UInt8] { TarWriter.archive(dockerEntries(images)) }

    var docker: [UInt8] { Self.docker([self]) }

    // MARK: oci-archive

    static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    static func descriptor(_ type: String, _ bytes: [UInt8]) -> [String: JSONValue] {
        [
            "mediaType": .string(type), "digest": .string(ContentDigest(of: bytes).description),
            "size": .integer(Int64(bytes.count)),
        ]
    }

    var manifest: JSONValue {
        let layers = storedLayers.map {
            JSONValue.object(Self.descriptor("application/vnd.oci.image.layer.v1.tar", $0))
        }
        return [
            "schemaVersion": 2, "mediaType": .string(Self.manifestType),
            "config": .object(Self.descriptor("application/vnd.oci.image.config.v1+json", configBytes)),
            "layers": .array(layers),
        ]
    }

    static func blob(_ bytes: [UInt8]) -> TarWriter.Entry {
        TarWriter.Entry(name: Array("blobs/sha256/\(ContentDigest(of: bytes).hexadecimal)".utf8), content: bytes)
    }

    var blobs: [TarWriter.Entry] { (storedLayers + [configBytes, manifest.serialized()]).map(Self.blob) }

    static func layout(index: JSONValue, blobs: [TarWriter.Entry]) -> [UInt8] {
        let head = [
            TarWriter.Entry.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#),
            TarWriter.Entry(name: Array("index.json".utf8), content: index.serialized()),
        ]
        return TarWriter.archive(head + blobs)
    }

    var index: JSONValue {
        var entry = Self.descriptor(Self.manifestType, manifest.serialized())
        if let tag = tags.first { entry["annotations"] = ["org.opencontainers.image.ref.name": .string(tag)] }
        return ["schemaVersion": 2, "manifests": [.object(entry)]]
    }

    var oci: [UInt8] { Self.layout(index: index, blobs: blobs) }
}
