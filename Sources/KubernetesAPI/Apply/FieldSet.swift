/// A set of fields of an object, as a tree of steps: `f:name`, `k:{…}` for an element of a keyed list, `v:…` for a value of
/// a set. The form that `managedFields` keeps.
public struct FieldSet: Hashable, Sendable {
    /// The field at this place itself belongs to the set, besides what is below it.
    public private(set) var isMember: Bool
    public private(set) var children: [String: FieldSet]

    public static let empty = FieldSet()
    /// One field, with nothing below it.
    static let member = FieldSet(isMember: true)
    /// Steps a set may be deep; an object of the API has a few dozen levels.
    static let depthLimit = 100
    /// Fields a set may have.
    static let countLimit = 50_000

    init(isMember: Bool = false, children: [String: FieldSet] = [:]) {
        self.isMember = isMember
        self.children = children
    }

    public var isEmpty: Bool { !isMember && children.isEmpty }

    /// Gives a child; an empty one is left out.
    mutating func set(_ step: String, _ child: FieldSet) {
        children[step] = child.isEmpty ? nil : child
    }

    /// The same with the field itself in it.
    var asMember: FieldSet { FieldSet(isMember: true, children: children) }

    // MARK: Algebra

    public func union(_ other: FieldSet) -> FieldSet {
        FieldSet(
            isMember: isMember || other.isMember,
            children: children.merging(other.children) { $0.union($1) })
    }

    public func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet(isMember: isMember && other.isMember)
        for (step, child) in children {
            if let match = other.children[step] { result.set(step, child.intersection(match)) }
        }
        return result
    }

    /// Without the fields of the other; what is below one of them stays unless it is in the other, too.
    public func subtracting(_ other: FieldSet) -> FieldSet {
        var result = FieldSet(isMember: isMember && !other.isMember)
        for (step, child) in children {
            result.set(step, other.children[step].map(child.subtracting) ?? child)
        }
        return result
    }

    /// Without the place itself and everything below it.
    func removing(_ path: [String]) -> FieldSet {
        guard let step = path.first, let child = children[step] else { return self }
        var result = self
        result.set(step, path.count == 1 ? .empty : child.removing(Array(path.dropFirst())))
        return result
    }

    /// Only what is below this step.
    func only(_ step: String) -> FieldSet {
        guard let child = children[step] else { return .empty }
        return FieldSet(children: [step: child])
    }

    /// Every member, sorted, as its steps.
    public var paths: [[String]] {
        var found: [[String]] = []
        collect([], &found)
        return found
    }

    private func collect(_ prefix: [String], _ found: inout [[String]]) {
        if isMember { found.append(prefix) }
        for (step, child) in children.sorted(by: { $0.key < $1.key }) { child.collect(prefix + [step], &found) }
    }

    // MARK: fieldsV1

    /// As `fieldsV1` writes it.
    public var encoded: JSONValue {
        var members = children.mapValues(\.encoded)
        if isMember, !children.isEmpty { members["."] = .object([:]) }
        return .object(members)
    }

    /// Reads `fieldsV1`; nil when it is none, or beyond every limit.
    public init?(encoded value: JSONValue) {
        guard case .object(let members) = value else { return nil }
        var count = 0
        var children: [String: FieldSet] = [:]
        for (step, child) in members where step != "." {
            guard let set = Self.decode(step, child, depth: 1, &count) else { return nil }
            children[step] = set
        }
        self.init(isMember: members["."] != nil, children: children)
    }

    private static func decode(_ step: String, _ value: JSONValue, depth: Int, _ count: inout Int) -> FieldSet? {
        count += 1
        guard depth <= depthLimit, count <= countLimit, case .object(let members) = value,
            step.utf8.dropFirst().first == UInt8(ascii: ":")
        else { return nil }
        var children: [String: FieldSet] = [:]
        for (step, child) in members where step != "." {
            guard let set = decode(step, child, depth: depth + 1, &count) else { return nil }
            children[step] = set
        }
        return FieldSet(isMember: members.isEmpty || members["."] != nil, children: children)
    }
}

/// How the steps of a ``FieldSet`` are written.
enum FieldStep {
    static func field(_ name: String) -> String { "f:" + name }
    static func value(_ value: JSONValue) -> String { "v:" + text(value) }

    /// An element of a keyed list; nil when it lacks a key.
    static func element(_ element: JSONValue, keys: [ApplyKey]) -> String? {
        guard element.objectValue != nil else { return nil }
        var found: [String: JSONValue] = [:]
        for key in keys {
            let present = element[key.name].flatMap { $0.isNull ? nil : $0 }
            guard let value = present ?? key.absent else { return nil }
            found[key.name] = value
        }
        return "k:" + text(.object(found))
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: value.serialized(sortedKeys: true), as: UTF8.self)
    }

    /// As people read a path: `.spec.containers[name="main"].image`.
    static func readable(_ path: [String]) -> String {
        path.map { step in
            let content = String(step.dropFirst(2))
            if step.hasPrefix("f:") { return ".\(content)" }
            if step.hasPrefix("v:") { return "[=\(content)]" }
            guard let parsed = try? JSONValue(parsing: content.utf8), case .object(let keys) = parsed else {
                return "[\(content)]"
            }
            return "[" + keys.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",") + "]"
        }.joined()
    }
}
