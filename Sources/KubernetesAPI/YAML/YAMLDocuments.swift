internal import Yams

/// Reads files of API objects: YAML 1.1 as Kubernetes' tools understand it, in any number of documents, or JSON.
public enum YAMLDocuments {
    /// Empty documents are left out.
    ///
    /// - Parameters:
    ///   - file: named in errors and positions.
    /// - Throws: for what is no YAML, repeats a key, has no JSON form, or expands or nests beyond the limits (100
    ///   levels).
    public static func parse(_ text: String, file: String) throws(YAMLSyntaxError) -> [YAMLDocument] {
        var text = text
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        text.makeContiguousUTF8()
        let size = text.utf8.count
        guard size <= YAMLGuard.maximumBytes else {
            throw YAMLSyntaxError(
                file: file, line: 1, column: 1,
                reason: "file of \(size) bytes is larger than the limit of \(YAMLGuard.maximumBytes)")
        }
        if let document = json(text, file: file) { return [document] }
        if let flaw = text.withUTF8({ YAMLGuard($0).flaw }) {
            throw YAMLSyntaxError(file: file, line: 1, column: 1, reason: flaw)
        }
        var documents: [YAMLDocument] = []
        for root in try compose(text, file: file) {
            var converter = YAMLConverter(file: file, textBytes: size)
            let (value, positions) = try converter.convert(root)
            if value.isNull { continue }
            documents.append(YAMLDocument(value: value, file: file, positions: positions))
        }
        return documents
    }

    /// Strict JSON is tried first: YAML's own reading of it knows no escaped surrogate pairs and no tabs everywhere.
    private static func json(_ text: String, file: String) -> YAMLDocument? {
        let start = text.utf8.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        guard start == UInt8(ascii: "{") || start == UInt8(ascii: "[") else { return nil }
        let limits = JSONLimits(maximumDepth: YAMLConverter.maximumDepth)
        guard let value = try? JSONValue(parsing: text, limits: limits) else { return nil }
        // Positions come from YAML's reading of the same text, where it has one.
        var positions = YAMLPosition(line: 1, column: 1)
        if let root = try? compose(text, file: file).first {
            var converter = YAMLConverter(file: file, textBytes: text.utf8.count)
            if let (_, places) = try? converter.convert(root) { positions = places }
        }
        return YAMLDocument(value: value, file: file, positions: positions)
    }

    private static func compose(_ text: String, file: String) throws(YAMLSyntaxError) -> [YAMLNode] {
        do {
            // Scalars are resolved by `YAMLScalar`. The parser resolves those it compares, mapping keys, too, and
            // forgets how they were written; this one rule keeps them apart from scalars with an explicit tag.
            let resolver = try Resolver.basic.appending(YAMLConverter.untagged, "^")
            let parser = try Parser(yaml: text, resolver: resolver)
            var roots: [YAMLNode] = []
            while let root = try parser.nextRoot() { roots.append(root) }
            return roots
        } catch {
            throw YAMLSyntaxError(error, file: file)
        }
    }
}

extension YAMLSyntaxError {
    fileprivate init(_ error: any Error, file: String) {
        func make(_ reason: String, _ mark: Mark?) -> YAMLSyntaxError {
            YAMLSyntaxError(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, reason: reason)
        }
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            self = make(problem, mark)
        case YamlError.reader(let problem, _, _, _):
            self = make(problem, nil)
        case YamlError.duplicatedKeysInMapping(let keys, let context):
            self = make("duplicate key \(keys.map(LabelSyntax.quote).joined(separator: ", "))", context.mark)
        default:
            self = make("cannot be read as YAML", nil)
        }
    }
}
