import Glibc
import KubernetesAPI
import LinuxKernel

/// The programs that this node asks for credentials, in the order of their file.
public struct CredentialProviderConfiguration: Hashable, Sendable {
    var providers: [CredentialProvider]
    /// Where their programs are.
    var binaryDirectory: String

    /// Every problem of a file, one line each: `FILE:LINE:COLUMN: FIELD: REASON`.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        public let problems: [String]

        /// One line: the first problem, and how many there are besides.
        public var description: String {
            let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
            return (problems.first ?? "no reason") + more
        }
    }

    /// Reads a file and looks for the programs that it names. Blocks on the disk.
    public init(contentsOf path: String, binaryDirectory: String) throws(Invalid) {
        let text: String
        do throws(KernelError) { text = try FileSystem.readText(path) } catch {
            throw Invalid(problems: ["\(path): cannot be read: \(error.errno)"])
        }
        try self.init(parsing: text, file: path, binaryDirectory: binaryDirectory)
        for provider in providers {
            let program = program(of: provider)
            guard access(program, X_OK) == 0 else {
                throw Invalid(problems: [
                    "\(path): provider \"\(provider.name)\": \(program) is not there, or no program"
                ])
            }
        }
    }

    func program(of provider: CredentialProvider) -> String { "\(binaryDirectory)/\(provider.name)" }

    /// Reads a CredentialProviderConfig. Whatever is not understood to the letter is refused.
    init(parsing text: String, file: String, binaryDirectory: String) throws(Invalid) {
        let documents: [YAMLDocument]
        do throws(YAMLSyntaxError) { documents = try YAMLDocuments.parse(text, file: file) } catch {
            throw Invalid(problems: ["\(error)"])
        }
        guard let document = documents.first, documents.count == 1 else {
            throw Invalid(problems: ["\(file): expected one document, a CredentialProviderConfig"])
        }
        var reader = CredentialProviderReader(document: document)
        providers = reader.read()
        self.binaryDirectory = binaryDirectory
        guard reader.problems.isEmpty else { throw Invalid(problems: reader.problems) }
    }
}

/// The file as it is written.
struct CredentialProviderDocument: Codable, Hashable, Sendable {
    var apiVersion: String?
    var kind: String?
    var providers: [Provider]?

    struct Provider: Codable, Hashable, Sendable {
        var name: String?
        var matchImages: [String]?
        var defaultCacheDuration: String?
        var apiVersion: String?
        var args: [String]?
        var env: [Variable]?
        var tokenAttributes: JSONValue?
    }

    struct Variable: Codable, Hashable, Sendable {
        var name: String?
        var value: String?
    }
}

/// Checks the fields one by one.
private struct CredentialProviderReader {
    let document: YAMLDocument
    var problems: [String] = []

    private static let providerLimit = 100
    private static let patternLimit = 1000
    private static let problemLimit = 20
    /// Their fields are the same as far as they are carried out here.
    private static let fileVersions = ["v1", "v1beta1", "v1alpha1"].map { "kubelet.config.k8s.io/\($0)" }
    private static let protocolVersions = ["v1", "v1beta1", "v1alpha1"].map {
        "credentialprovider.kubelet.k8s.io/\($0)"
    }

    init(document: YAMLDocument) {
        self.document = document
    }

    private mutating func refuse(_ path: FieldPath, _ reason: String) {
        guard problems.count < Self.problemLimit else { return }
        problems.append("\(document.location(of: path)): \(reason)")
    }

    mutating func read() -> [CredentialProvider] {
        guard document.value.objectValue != nil else {
            refuse(.root, "expected a CredentialProviderConfig")
            return []
        }
        for field in Schema(of: CredentialProviderDocument.self).unknownFieldPaths(in: document.value) {
            refuse(field, "unknown field; check its spelling and indentation")
        }
        guard problems.isEmpty else { return [] }
        let written: CredentialProviderDocument
        do { written = try JSONValueDecoder().decode(CredentialProviderDocument.self, from: document.value) } catch {
            if let error = error as? JSONDecodingError {
                refuse(error.path, error.reason)
            } else {
                refuse(.root, "\(error)")
            }
            return []
        }
        if written.kind != "CredentialProviderConfig" {
            refuse(FieldPath("kind"), "must be CredentialProviderConfig")
        }
        if !Self.fileVersions.contains(written.apiVersion ?? "") {
            refuse(FieldPath("apiVersion"), "must be one of \(Self.fileVersions.joined(separator: ", "))")
        }
        let providers = written.providers ?? []
        guard (1...Self.providerLimit).contains(providers.count) else {
            refuse(FieldPath("providers"), "must have 1 to \(Self.providerLimit) providers")
            return []
        }
        var read: [CredentialProvider] = []
        for (index, provider) in providers.enumerated() {
            let path = FieldPath("providers").index(index)
            let next = self.read(provider, at: path)
            if read.contains(where: { $0.name == next.name }) {
                refuse(path.child("name"), "\(JSONValue.string(next.name)) is there already")
            }
            read.append(next)
        }
        return read
    }

    private mutating func read(
        _ provider: CredentialProviderDocument.Provider, at path: FieldPath
    ) -> CredentialProvider {
        let name = provider.name ?? ""
        if name.isEmpty || name == "." || name == ".." || name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
            || name.contains("/") || name.contains("\\")
        {
            refuse(path.child("name"), "\(JSONValue.string(name)) is no name of a program: no directories, no spaces")
        }
        if provider.tokenAttributes != nil {
            refuse(
                path.child("tokenAttributes"),
                "is not carried out: this node hands no tokens of pods to providers; remove it, or use imagePullSecrets"
            )
        }
        if !Self.protocolVersions.contains(provider.apiVersion ?? "") {
            refuse(path.child("apiVersion"), "must be one of \(Self.protocolVersions.joined(separator: ", "))")
        }
        return CredentialProvider(
            name: name, patterns: patterns(provider.matchImages ?? [], at: path.child("matchImages")),
            defaultCacheDuration: duration(provider.defaultCacheDuration, at: path.child("defaultCacheDuration")),
            apiVersion: provider.apiVersion ?? "", arguments: texts(provider.args ?? [], at: path.child("args")),
            environment: variables(provider.env ?? [], at: path.child("env")))
    }

    private mutating func patterns(_ texts: [String], at path: FieldPath) -> [CredentialProviderPattern] {
        guard (1...Self.patternLimit).contains(texts.count) else {
            refuse(path, "must have 1 to \(Self.patternLimit) patterns")
            return []
        }
        var patterns: [CredentialProviderPattern] = []
        for (index, text) in texts.enumerated() {
            if let pattern = CredentialProviderPattern(text) {
                patterns.append(pattern)
            } else {
                refuse(
                    path.index(index),
                    "\(JSONValue.string(text)) is no pattern: a host without scheme, perhaps with *, a port and a path")
            }
        }
        return patterns
    }

    private mutating func duration(_ text: String?, at path: FieldPath) -> Duration {
        guard let text, let duration = Duration(kubernetes: text), duration >= .zero else {
            refuse(path, "must be a duration that is not negative, such as 12h or 0s")
            return .zero
        }
        return duration
    }

    /// The kernel passes none with a NUL.
    private mutating func texts(_ texts: [String], at path: FieldPath) -> [String] {
        for (index, text) in texts.enumerated() where text.utf8.contains(0) {
            refuse(path.index(index), "has a NUL byte")
        }
        return texts
    }

    private mutating func variables(
        _ variables: [CredentialProviderDocument.Variable], at path: FieldPath
    ) -> [CredentialProvider.Variable] {
        for (index, variable) in variables.enumerated() {
            let name = variable.name ?? ""
            if name.isEmpty || name.contains("=") || name.utf8.contains(0) || variable.value?.utf8.contains(0) == true {
                refuse(path.index(index), "must have a name without \"=\", and no NUL byte")
            }
        }
        return variables.map { CredentialProvider.Variable(name: $0.name ?? "", value: $0.value ?? "") }
    }
}
