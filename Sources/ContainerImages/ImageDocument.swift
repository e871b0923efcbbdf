import KubernetesAPI

/// An image's configuration document (OCI image-spec, config.md), checked field by field.
struct ImageDocument {
    let config: ImageConfig
    /// RFC 3339, as written; `nil` when absent or not made of its characters.
    let createdAt: String?
    /// Digests of the uncompressed layers, bottom first. At least one.
    let diffIDs: [ContentDigest]

    /// Strings the kernel would take at most as argument or environment (its limit for one is 128 KiB, for all 6 MiB
    /// at best).
    private static let textLimitBytes = 1 << 20
    private static let itemLimit = 10_000

    /// `subject` begins every message.
    init(parsing bytes: [UInt8], limits: UnpackLimits, subject: String) throws(ImageError) {
        let document = try ImageDocument.parse(bytes, limits: limits, subject: "\(subject), image configuration")
        let fields = Fields(subject: "\(subject), image configuration")
        try fields.checkPlatform(document)
        guard try fields.string(document["rootfs"]?["type"], "rootfs.type") == "layers" else {
            throw fields.invalid("rootfs.type", "must be \"layers\"")
        }
        let digests = try fields.strings(document["rootfs"]?["diff_ids"], "rootfs.diff_ids")
        guard !digests.isEmpty else { throw fields.invalid("rootfs.diff_ids", "is empty: an image needs a layer") }
        guard digests.count <= limits.layers else {
            throw ImageError(
                .limitExceeded, "\(fields.subject): has \(digests.count) layers, more than \(limits.layers)")
        }
        var diffIDs: [ContentDigest] = []
        for text in digests {
            guard let digest = ContentDigest(text) else {
                throw fields.invalid("rootfs.diff_ids", "\(ImageError.quoted(text)) is not a sha256 digest")
            }
            diffIDs.append(digest)
        }
        self.diffIDs = diffIDs
        config = try fields.config(document["config"] ?? .null)
        let created = document["created"]?.stringValue
        createdAt = created.flatMap { text in
            text.utf8.count <= 40 && text.utf8.allSatisfy { "0123456789-:.+TZ".utf8.contains($0) } ? text : nil
        }
    }

    /// The manifest beside it lists `count` layers: both must mean the same.
    func requireLayers(_ count: Int, subject: String) throws(ImageError) {
        guard count == diffIDs.count else {
            throw ImageError(
                .invalidArchive, "\(subject): lists \(count) layers, the image configuration \(diffIDs.count)")
        }
    }

    /// Parses one JSON document of an image, duplicate keys refused.
    static func parse(_ bytes: [UInt8], limits: UnpackLimits, subject: String) throws(ImageError) -> JSONValue {
        guard bytes.count <= limits.documentBytes else {
            throw ImageError(.limitExceeded, "\(subject): is larger than \(limits.documentBytes) bytes")
        }
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw ImageError(.invalidArchive, "\(subject): is not valid JSON: \(error)")
        }
    }

    /// Typed access to untrusted fields.
    private struct Fields {
        let subject: String

        func invalid(_ field: String, _ reason: String) -> ImageError {
            ImageError(.invalidArchive, "\(subject): \(field) \(reason)")
        }

        func string(_ value: JSONValue?, _ field: String) throws(ImageError) -> String {
            guard let value, value != .null else { return "" }
            guard let text = value.stringValue else { throw invalid(field, "must be a string") }
            guard !text.utf8.contains(0) else { throw invalid(field, "has a NUL byte") }
            guard text.utf8.count <= ImageDocument.textLimitBytes else { throw tooLarge(field) }
            return text
        }

        func strings(_ value: JSONValue?, _ field: String) throws(ImageError) -> [String] {
            guard let value, value != .null else { return [] }
            guard let items = value.arrayValue else { throw invalid(field, "must be a list of strings") }
            guard items.count <= ImageDocument.itemLimit else { throw tooLarge(field) }
            var texts: [String] = []
            var total = 0
            for item in items {
                guard item.stringValue != nil else { throw invalid(field, "must be a list of strings") }
                let text = try string(item, field)
                total += text.utf8.count
                guard total <= ImageDocument.textLimitBytes else { throw tooLarge(field) }
                texts.append(text)
            }
            return texts
        }

        func object(_ value: JSONValue?, _ field: String) throws(ImageError) -> [String: JSONValue] {
            guard let value, value != .null else { return [:] }
            guard let members = value.objectValue else { throw invalid(field, "must be an object") }
            guard members.count <= ImageDocument.itemLimit else { throw tooLarge(field) }
            for key in members.keys where key.utf8.contains(0) || key.utf8.count > 4096 {
                throw invalid(field, "has a key with a NUL byte or of more than 4096 bytes")
            }
            return members
        }

        private func tooLarge(_ field: String) -> ImageError {
            ImageError(
                .limitExceeded,
                "\(subject): \(field) is larger than 1 MiB or 10000 items"
            )
        }

        func checkPlatform(_ document: JSONValue) throws(ImageError) {
            let host = ImagePlatform.host
            let os = try string(document["os"], "os")
            let architecture = try string(document["architecture"], "architecture")
            guard os.isEmpty || os == host.os, architecture.isEmpty || architecture == host.architecture else {
                throw ImageError(
                    .platformMismatch,
                    "\(subject): the image is for \(ImageError.quoted(os + "/" + architecture)), this node is \(host)")
            }
        }

        func config(_ value: JSONValue) throws(ImageError) -> ImageConfig {
            _ = try object(value, "config")
            var config = ImageConfig()
            config.user = try string(value["User"], "config.User")
            guard config.user.utf8.count <= 512, config.user.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw invalid("config.User", "is longer than 512 bytes or has a control character")
            }
            config.env = try strings(value["Env"], "config.Env")
            for entry in config.env { try checkEnvironment(entry) }
            config.entrypoint = try strings(value["Entrypoint"], "config.Entrypoint")
            config.command = try strings(value["Cmd"], "config.Cmd")
            config.workingDirectory = try string(value["WorkingDir"], "config.WorkingDir")
            guard config.workingDirectory.utf8.count <= 4095 else {
                throw invalid("config.WorkingDir", "is longer than 4095 bytes")
            }
            if !config.workingDirectory.isEmpty, !config.workingDirectory.hasPrefix("/") {
                config.workingDirectory = "/" + config.workingDirectory
            }
            config.labels = try labels(value["Labels"])
            config.exposedPorts = try object(value["ExposedPorts"], "config.ExposedPorts").keys.sorted()
            config.volumes = try object(value["Volumes"], "config.Volumes").keys.sorted()
            for volume in config.volumes {
                guard volume.hasPrefix("/"), !volume.split(separator: "/").contains("..") else {
                    throw invalid(
                        "config.Volumes", "\(ImageError.quoted(volume)) is not an absolute path without \"..\"")
                }
            }
            let signal = try string(value["StopSignal"], "config.StopSignal")
            guard signal.utf8.count <= 32, signal.utf8.allSatisfy({ Self.signalCharacters.contains($0) }) else {
                throw invalid("config.StopSignal", "\(ImageError.quoted(signal)) is not a signal")
            }
            config.stopSignal = signal.isEmpty ? nil : signal
            return config
        }

        private static let signalCharacters = Set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-".utf8)

        private func checkEnvironment(_ entry: String) throws(ImageError) {
            // A newline in a key would forge a second variable in every file written from it (CVE-2022-4318).
            guard let equals = entry.utf8.firstIndex(of: UInt8(ascii: "=")), equals > entry.utf8.startIndex,
                entry.utf8[..<equals].allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                throw invalid(
                    "config.Env", "\(ImageError.quoted(entry)) is not KEY=VALUE with a key free of control characters")
            }
        }

        private func labels(_ value: JSONValue?) throws(ImageError) -> [String: String] {
            var labels: [String: String] = [:]
            var total = 0
            for (key, text) in try object(value, "config.Labels") {
                let label = try string(text, "config.Labels")
                total += key.utf8.count + label.utf8.count
                guard total <= ImageDocument.textLimitBytes else { throw tooLarge("config.Labels") }
                labels[key] = label
            }
            return labels
        }
    }
}
