/// Where a value sits in an object, written as Kubernetes writes it: `spec.containers[0].env[NAME]`.
public struct FieldPath: Hashable, Sendable {
    /// One step down.
    public enum Element: Hashable, Sendable {
        /// A named field, written `.name`.
        case field(String)
        /// A list element, written `[3]`.
        case index(Int)
        /// A map entry, written `[key]`.
        case key(String)
    }

    public var elements: [Element]

    public init(elements: [Element]) {
        self.elements = elements
    }

    /// A path of named fields; without names, the root of the object.
    public init(_ fields: String...) {
        elements = fields.map(Element.field)
    }

    /// The path of the whole object.
    public static let root = FieldPath(elements: [])

    public var isRoot: Bool { elements.isEmpty }

    /// The path of a field, or of a field of a field, below this one.
    public func child(_ names: String...) -> FieldPath {
        FieldPath(elements: elements + names.map(Element.field))
    }

    public func index(_ index: Int) -> FieldPath {
        FieldPath(elements: elements + [.index(index)])
    }

    public func key(_ key: String) -> FieldPath {
        FieldPath(elements: elements + [.key(key)])
    }
}

extension FieldPath: CustomStringConvertible {
    public var description: String {
        var text = ""
        for element in elements {
            switch element {
            case .field(let name):
                if !text.isEmpty { text.append(".") }
                text.append(name)
            case .index(let index):
                text.append("[\(index)]")
            case .key(let key):
                text.append("[\(key)]")
            }
        }
        return text
    }
}

extension FieldPath: ExpressibleByStringLiteral {
    /// One field, or several separated by dots: `"spec.containers"`.
    public init(stringLiteral value: String) {
        elements = value.split(separator: ".").map { .field(String($0)) }
    }
}
