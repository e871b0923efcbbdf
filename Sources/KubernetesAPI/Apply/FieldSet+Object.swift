extension FieldSet {
    /// Every field an object has.
    /// - Throws: an element of a keyed list lacks a key, or two have the same; only when `isStrict`. Otherwise such a list
    ///   counts as one field.
    init(of value: JSONValue, type: ApplyType, isStrict: Bool) throws(ApplyError) {
        self = try Self.make(value, type, [], isStrict)
    }

    private static func make(
        _ value: JSONValue, _ type: ApplyType, _ path: [String], _ isStrict: Bool
    ) throws(ApplyError) -> FieldSet {
        guard path.count < depthLimit else { throw ApplyError(.tooDeep, path, "is nested too deeply") }
        switch (type, value) {
        case (.object, .object(let members)), (.map, .object(let members)):
            var set = FieldSet(isMember: members.isEmpty)
            var isMap = false
            if case .map = type { isMap = true }
            for (name, member) in members where !member.isNull || isStrict {
                let step = FieldStep.field(name)
                let child = try make(member, type.child(name), path + [step], isStrict)
                set.set(step, isMap ? child.asMember : child)
            }
            return set
        case (.keyed(let keys, let reference), .array(let elements)):
            guard let steps = try ListSteps(elements, keys, path, isStrict) else { return .member }
            var set = FieldSet(isMember: elements.isEmpty)
            for (step, element) in zip(steps.steps, elements) {
                set.set(step, try make(element, .object(reference), path + [step], isStrict).asMember)
            }
            return set
        case (.set, .array(let elements)):
            var set = FieldSet(isMember: elements.isEmpty)
            for element in elements { set.set(FieldStep.value(element), .member) }
            return set
        case (.atomic, _), (.object, _), (.map, _), (.keyed, _), (.set, _):
            return .member
        }
    }
}

/// The steps to the elements of a keyed list, in its order.
struct ListSteps {
    let steps: [String]
    private(set) var indexes: [String: Int] = [:]

    /// Nil when the elements cannot be told apart and `isStrict` is false.
    init?(_ elements: [JSONValue], _ keys: [ApplyKey], _ path: [String], _ isStrict: Bool) throws(ApplyError) {
        var steps: [String] = []
        for (index, element) in elements.enumerated() {
            guard let step = FieldStep.element(element, keys: keys) else {
                guard isStrict else { return nil }
                let names = keys.map(\.name).joined(separator: ", ")
                throw ApplyError(.malformed, path, "element \(index) lacks a field that tells it apart (\(names))")
            }
            guard indexes.updateValue(index, forKey: step) == nil else {
                guard isStrict else { return nil }
                throw ApplyError(.malformed, path, "duplicate entries for key \(FieldStep.readable([step]))")
            }
            steps.append(step)
        }
        self.steps = steps
    }
}

/// A configuration that cannot be applied.
public struct ApplyError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case malformed
        case tooDeep
    }

    public let code: Code
    /// As people read it: `.spec.containers`.
    public let field: String
    public let reason: String

    init(_ code: Code, _ path: [String], _ reason: String) {
        self.code = code
        field = FieldStep.readable(path)
        self.reason = reason
    }

    public var description: String { "\(field): \(reason)" }
}
