/// One document of a YAML or JSON file.
public struct YAMLDocument: Sendable {
    public let value: JSONValue
    public let file: String
    let positions: YAMLPosition

    /// Where the field is written; for an absent one, where the nearest object or list around it is.
    public func position(of path: FieldPath) -> (line: Int, column: Int)? {
        var position = positions
        for element in path.elements {
            guard let next = position.child(element) else { break }
            position = next
        }
        return position.line > 0 ? (position.line, position.column) : nil
    }

    /// `pod.yaml:7:5: spec.containers[0].name`: a place to put in front of a message.
    public func location(of path: FieldPath) -> String {
        let position = position(of: path)
        let place = position.map { "\(file):\($0.line):\($0.column)" } ?? file
        return path.isRoot ? place : "\(place): \(path)"
    }
}

/// Where a value is written, and its parts.
struct YAMLPosition: Sendable {
    /// 0 when it is not known.
    var line = 0
    var column = 0
    var members: [String: YAMLPosition] = [:]
    var elements: [YAMLPosition] = []

    func child(_ element: FieldPath.Element) -> YAMLPosition? {
        switch element {
        case .field(let name), .key(let name): members[name]
        case .index(let index): elements.indices.contains(index) ? elements[index] : nil
        }
    }
}
