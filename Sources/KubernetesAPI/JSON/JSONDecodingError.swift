/// A JSON value that is not what a type expects, and where: `spec.containers[0].image: expected string, got number`.
public struct JSONDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: FieldPath
    public let reason: String

    public init(path: FieldPath, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String {
        path.isRoot ? reason : "\(path): \(reason)"
    }

    /// - Parameter error: whatever a type's `init(from:)` threw.
    /// - Parameter fallback: where decoding was, when the error does not say.
    init(_ error: any Error, fallback: FieldPath) {
        switch error {
        case let error as JSONDecodingError:
            self = error
        case DecodingError.dataCorrupted(let context):
            self.init(path: FieldPath(context.codingPath, or: fallback), reason: context.debugDescription)
        case DecodingError.keyNotFound(let key, let context):
            let path = FieldPath(context.codingPath, or: fallback)
            self.init(path: path.child(key.stringValue), reason: "missing, but it is required")
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            self.init(path: FieldPath(context.codingPath, or: fallback), reason: context.debugDescription)
        default:
            self.init(path: fallback, reason: String(describing: error))
        }
    }
}

extension FieldPath {
    fileprivate init(_ codingPath: [any CodingKey], or fallback: FieldPath) {
        let path = FieldPath(codingPath: codingPath)
        self = path.isRoot ? fallback : path
    }

    /// The same place as a coder names it.
    init(codingPath: [any CodingKey]) {
        elements = codingPath.map { key in key.intValue.map(Element.index) ?? .field(key.stringValue) }
    }
}
