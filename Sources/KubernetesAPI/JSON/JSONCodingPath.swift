/// Where a coder is, as a chain to the root: going down costs one small allocation, and the whole path is only written
/// out for an error.
final class JSONCodingPath: Sendable {
    private let parent: JSONCodingPath?
    private let element: FieldPath.Element

    init(_ element: FieldPath.Element, below parent: JSONCodingPath?) {
        self.parent = parent
        self.element = element
    }

    static func fieldPath(_ path: JSONCodingPath?) -> FieldPath {
        var elements: [FieldPath.Element] = []
        var next = path
        while let current = next {
            elements.append(current.element)
            next = current.parent
        }
        return FieldPath(elements: elements.reversed())
    }

    static func codingPath(_ path: JSONCodingPath?) -> [any CodingKey] {
        fieldPath(path).elements.map { element in
            switch element {
            case .field(let name), .key(let name): JSONKey(stringValue: name)
            case .index(let index): JSONKey(intValue: index)
            }
        }
    }
}

/// A key made up at run time.
struct JSONKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}
