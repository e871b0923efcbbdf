import KubernetesAPI

extension RegistryConfiguration {
    /// Every problem of a file, one line each: `FILE:LINE:COLUMN: FIELD: REASON`.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        public let problems: [String]

        /// One line: the first problem, and how many there are besides.
        public var description: String {
            let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
            return (problems.first ?? "no reason") + more
        }
    }

    /// Reads `registries.yaml`. Whatever is not understood to the letter is refused.
    public init(parsing text: String, file: String) throws(Invalid) {
        let documents: [YAMLDocument]
        do throws(YAMLSyntaxError) { documents = try YAMLDocuments.parse(text, file: file) } catch {
            throw Invalid(problems: ["\(error)"])
        }
        self.init()
        guard let document = documents.first, document.value != .null else { return }
        guard documents.count == 1 else { throw Invalid(problems: ["\(file): more than one document"]) }
        var reader = RegistryConfigurationReader(document: document)
        hosts = reader.read()
        guard reader.problems.isEmpty else { throw Invalid(problems: reader.problems) }
    }
}

/// The file as it is written.
struct RegistryConfigurationDocument: Codable, Hashable, Sendable {
    var registries: [Registry]?

    struct Registry: Codable, Hashable, Sendable {
        /// As in image names, or `*` for all that are not named.
        var host: String?
        /// Talk to the host itself without TLS.
        var plainHTTP: Bool?
        /// PEM certificates to trust for it in place of the system's.
        var caFile: String?
        /// Other hosts that may see its credentials to give a token for them.
        var tokenHosts: [String]?
        /// Asked before it, in order.
        var mirrors: [Mirror]?
        /// Never ask the host itself.
        var mirrorsOnly: Bool?
    }

    struct Mirror: Codable, Hashable, Sendable {
        /// `https://host[:port][/prefix of repositories]`; `http://` for one without TLS.
        var url: String?
        var caFile: String?
        var tokenHosts: [String]?
    }
}

/// Checks the fields one by one.
private struct RegistryConfigurationReader {
    let document: YAMLDocument
    var problems: [String] = []

    private static let registryLimit = 1000
    private static let problemLimit = 20

    init(document: YAMLDocument) {
        self.document = document
    }

    private mutating func refuse(_ path: FieldPath, _ reason: String) {
        guard problems.count < Self.problemLimit else { return }
        problems.append("\(document.location(of: path)): \(reason)")
    }

    mutating func read() -> [RegistryConfiguration.Host] {
        guard document.value.objectValue != nil else {
            refuse(.root, "expected a mapping with the field \"registries\"")
            return []
        }
        for field in Schema(of: RegistryConfigurationDocument.self).unknownFieldPaths(in: document.value) {
            refuse(field, "unknown field; check its spelling and indentation")
        }
        guard problems.isEmpty else { return [] }
        let written: RegistryConfigurationDocument
        do { written = try JSONValueDecoder().decode(RegistryConfigurationDocument.self, from: document.value) } catch {
            if let error = error as? JSONDecodingError {
                refuse(error.path, error.reason)
            } else {
                refuse(.root, "\(error)")
            }
            return []
        }
        let registries = written.registries ?? []
        guard registries.count <= Self.registryLimit else {
            refuse(FieldPath("registries"), "more than \(Self.registryLimit) registries")
            return []
        }
        var hosts: [RegistryConfiguration.Host] = []
        for (index, registry) in registries.enumerated() {
            let path = FieldPath("registries").index(index)
            let host = read(registry, at: path)
            if hosts.contains(where: { $0.host == host.host }) {
                refuse(path.child("host"), "\(JSONValue.string(host.host)) is there already")
            }
            hosts.append(host)
        }
        return hosts
    }

    private mutating func read(
        _ registry: RegistryConfigurationDocument.Registry, at path: FieldPath
    ) -> RegistryConfiguration.Host {
        let name = registry.host ?? ""
        if name != "*", RegistryURL.split(name) == nil || !Self.isHost(name) {
            refuse(
                path.child("host"),
                "\(JSONValue.string(name)) is no registry: a host name with an optional port as in image names, or \"*\""
            )
        }
        if name == "*", registry.caFile != nil || registry.tokenHosts != nil || registry.plainHTTP == true {
            refuse(path.child("host"), "\"*\" can have mirrors only: name the hosts that differ in anything else")
        }
        var host = RegistryConfiguration.Host(host: name.lowercased())
        host.plainHTTP = registry.plainHTTP ?? false
        if host.plainHTTP, registry.caFile != nil {
            refuse(path.child("caFile"), "has no meaning with plainHTTP: remove one of them")
        }
        host.caFile = readFile(registry.caFile, at: path.child("caFile"))
        host.tokenHosts = readHosts(registry.tokenHosts, at: path.child("tokenHosts"))
        host.mirrorsOnly = registry.mirrorsOnly ?? false
        let mirrors = registry.mirrors ?? []
        if host.mirrorsOnly, mirrors.isEmpty {
            refuse(path.child("mirrorsOnly"), "without mirrors nothing could be pulled")
        }
        for (index, mirror) in mirrors.enumerated() {
            if let mirror = read(mirror, at: path.child("mirrors").index(index)) { host.mirrors.append(mirror) }
        }
        return host
    }

    private mutating func read(
        _ mirror: RegistryConfigurationDocument.Mirror, at path: FieldPath
    ) -> RegistryConfiguration.Mirror? {
        let text = mirror.url ?? ""
        guard var url = RegistryURL(text), !url.target.contains("?") else {
            refuse(path.child("url"), "\(JSONValue.string(text)) is not https://host[:port][/prefix]")
            return nil
        }
        let prefix = url.target.split(separator: "/").joined(separator: "/")
        if !prefix.isEmpty, (try? ImageReference(parsing: "localhost/\(prefix)")) == nil || prefix.contains(":") {
            refuse(path.child("url"), "its path is no prefix of repositories: lower-case parts, without /v2")
        }
        if url.scheme == .http, mirror.caFile != nil {
            refuse(path.child("caFile"), "has no meaning for http://: remove one of them")
        }
        url.target = ""
        return RegistryConfiguration.Mirror(
            url: url, repositoryPrefix: prefix, caFile: readFile(mirror.caFile, at: path.child("caFile")),
            tokenHosts: readHosts(mirror.tokenHosts, at: path.child("tokenHosts")))
    }

    private mutating func readFile(_ file: String?, at path: FieldPath) -> String? {
        guard let file else { return nil }
        if !file.hasPrefix("/") { refuse(path, "\(JSONValue.string(file)) is not an absolute path") }
        return file
    }

    private mutating func readHosts(_ names: [String]?, at path: FieldPath) -> [String] {
        for (index, name) in (names ?? []).enumerated() where !Self.isHost(name) {
            refuse(path.index(index), "\(JSONValue.string(name)) is not a host name with an optional port")
        }
        return (names ?? []).map { $0.lowercased() }
    }

    private static func isHost(_ name: String) -> Bool {
        guard let (host, _) = RegistryURL.split(name) else { return false }
        return host.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || ".-[]:".utf8.contains(byte)
        }
    }
}
