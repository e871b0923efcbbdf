internal import Yams

/// Turns one parsed document into JSON, with aliases expanded and merge keys applied.
struct YAMLConverter {
    private let file: String
    private var nodesLeft: Int
    private var bytesLeft: Int
    private var depth = 0

    static let maximumDepth = 100

    /// What the parser's resolver makes of a scalar without a tag when it has to compare it.
    static let untagged = Tag.Name(rawValue: "untagged")

    /// - Parameter textBytes: the size of the file. Without aliases a document has at most as many nodes as bytes; what
    ///   goes beyond is expansion, of which 100,000 nodes and 4 MiB are allowed.
    init(file: String, textBytes: Int) {
        self.file = file
        nodesLeft = textBytes + 100_000
        bytesLeft = 2 * textBytes + (4 << 20)
    }

    mutating func convert(_ node: YAMLNode) throws(YAMLSyntaxError) -> (JSONValue, YAMLPosition) {
        try count(node, bytes: 0)
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw failure("nested deeper than \(Self.maximumDepth) levels", at: node)
        }
        var position = YAMLPosition(line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
        switch node {
        case .scalar(let scalar):
            try count(node, bytes: scalar.string.utf8.count)
            return (try convert(scalar, node), position)
        case .sequence(let sequence):
            try checkTag(sequence.tag, [.implicit, .nonSpecific, .seq], node)
            var elements: [JSONValue] = []
            for element in sequence {
                let (value, place) = try convert(element)
                elements.append(value)
                position.elements.append(place)
            }
            return (.array(elements), position)
        case .mapping(let mapping):
            try checkTag(mapping.tag, [.implicit, .nonSpecific, .map], node)
            let members = try convert(mapping, into: &position)
            return (.object(members), position)
        case .alias:
            throw failure("an alias that refers to nothing", at: node)
        }
    }

    private mutating func convert(
        _ mapping: YAMLNode.Mapping, into position: inout YAMLPosition
    ) throws(YAMLSyntaxError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        var merged: [YAMLNode] = []
        for (keyNode, valueNode) in mapping {
            if Self.isMergeKey(keyNode) {
                merged.append(valueNode)
                continue
            }
            let key = try self.key(keyNode)
            let (value, place) = try convert(valueNode)
            guard members.updateValue(value, forKey: key) == nil else {
                throw failure("duplicate key \(LabelSyntax.quote(key))", at: keyNode)
            }
            var keyed = place
            keyed.line = keyNode.mark?.line ?? place.line
            keyed.column = keyNode.mark?.column ?? place.column
            position.members[key] = keyed
        }
        for node in merged {
            for source in try mergeSources(node) {
                let (value, place) = try convert(source)
                // What the mapping says itself wins over what it merges in, and the first source over the next.
                for (key, value) in value.objectValue ?? [:] where members[key] == nil {
                    members[key] = value
                    position.members[key] = place.members[key]
                }
            }
        }
        return members
    }

    private static func isMergeKey(_ node: YAMLNode) -> Bool {
        guard case .scalar(let scalar) = node else { return false }
        let tag = Tag.Name(rawValue: scalar.tag.description)
        if tag == .merge { return true }
        return scalar.string == "<<" && scalar.style == .plain && (tag == .implicit || tag == untagged)
    }

    private func mergeSources(_ node: YAMLNode) throws(YAMLSyntaxError) -> [YAMLNode] {
        switch node {
        case .mapping: return [node]
        case .sequence(let sequence):
            for element in sequence {
                guard case .mapping = element else {
                    throw failure("\"<<\" takes a map or a list of maps", at: element)
                }
            }
            return Array(sequence)
        case .scalar, .alias:
            throw failure("\"<<\" takes a map or a list of maps", at: node)
        }
    }

    /// JSON keys are strings: numbers and booleans become their text, as Kubernetes' tools make them.
    private mutating func key(_ node: YAMLNode) throws(YAMLSyntaxError) -> String {
        try count(node, bytes: 0)
        guard case .scalar(let scalar) = node else { throw failure("a key must be a string", at: node) }
        try count(node, bytes: scalar.string.utf8.count)
        switch try convert(scalar, node) {
        case .string(let text): return text
        case .integer(let value): return String(value)
        case .bool(let value): return value ? "true" : "false"
        case .double(let value): return JSONNumberText.text(of: value)
        case .null: throw failure("a key must be a string, not null", at: node)
        case .array, .object: throw failure("a key must be a string", at: node)
        }
    }

    private func convert(_ scalar: YAMLNode.Scalar, _ node: YAMLNode) throws(YAMLSyntaxError) -> JSONValue {
        let text = scalar.string
        let value: JSONValue
        switch Tag.Name(rawValue: scalar.tag.description) {
        case .implicit, Self.untagged:
            guard scalar.style == .plain else { return .string(text) }
            value = try resolve(text, node)
        case .nonSpecific, .str:
            return .string(text)
        case .null:
            value = try resolve(text, node)
            guard value.isNull else { throw failure("not a null", at: node) }
        case .bool:
            value = try resolve(text, node)
            guard value.boolValue != nil else { throw failure("not a boolean", at: node) }
        case .int:
            value = try resolve(text, node)
            guard value.intValue != nil else { throw failure("not an integer", at: node) }
        case .float:
            value = try resolve(text, node)
            guard value.doubleValue != nil else { throw failure("not a number", at: node) }
        case .timestamp:
            return .string(text)
        default:
            throw failure("unknown tag \(LabelSyntax.quote(scalar.tag.description))", at: node)
        }
        return value
    }

    private func resolve(_ text: String, _ node: YAMLNode) throws(YAMLSyntaxError) -> JSONValue {
        do throws(YAMLScalar.Flaw) {
            return try YAMLScalar.resolve(text)
        } catch {
            let problem =
                switch error {
                case .integerTooLarge: "the integer does not fit into 64 bits"
                case .notRepresentable: "JSON has no number \(LabelSyntax.quote(text))"
                }
            throw failure("\(problem); put it in quotes if it is a string", at: node)
        }
    }

    private func checkTag(_ tag: Tag, _ allowed: [Tag.Name], _ node: YAMLNode) throws(YAMLSyntaxError) {
        guard allowed.contains(Tag.Name(rawValue: tag.description)) else {
            throw failure("unknown tag \(LabelSyntax.quote(tag.description))", at: node)
        }
    }

    private mutating func count(_ node: YAMLNode, bytes: Int) throws(YAMLSyntaxError) {
        nodesLeft -= bytes == 0 ? 1 : 0
        bytesLeft -= bytes
        guard nodesLeft >= 0, bytesLeft >= 0 else {
            throw failure("the aliases expand to too much", at: node)
        }
    }

    private func failure(_ reason: String, at node: YAMLNode) -> YAMLSyntaxError {
        YAMLSyntaxError(
            file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1, reason: reason)
    }
}
