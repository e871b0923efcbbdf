/// JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces.
public enum MergePatch {
    /// Values nested deeper than this are refused rather than followed; the parser's limit is below it.
    static let maximumDepth = 2000

    public static func apply(_ patch: JSONValue, to target: JSONValue) throws(PatchError) -> JSONValue {
        try merge(patch, into: target, depth: 0)
    }

    /// The patch that turns one value into another; an empty object when they are equal.
    ///
    /// A merge patch cannot set a member to null: nulls in `target` come out as absent members.
    public static func diff(from source: JSONValue, to target: JSONValue) -> JSONValue {
        guard case .object(let old) = source, case .object(let new) = target else { return target }
        var patch: [String: JSONValue] = [:]
        for (key, value) in new {
            guard let previous = old[key] else {
                if !value.isNull { patch[key] = value }
                continue
            }
            if previous == value { continue }
            if case .object = previous, case .object = value {
                let change = diff(from: previous, to: value)
                if change != .object([:]) { patch[key] = change }
            } else {
                patch[key] = value
            }
        }
        for key in old.keys where new[key] == nil { patch[key] = .null }
        return .object(patch)
    }

    private static func merge(_ patch: JSONValue, into target: JSONValue, depth: Int) throws(PatchError) -> JSONValue {
        guard depth <= maximumDepth else {
            throw PatchError(.tooLarge, "the patch is nested deeper than \(maximumDepth) levels")
        }
        guard case .object(let changes) = patch else { return patch }
        var members = target.objectValue ?? [:]
        for (key, change) in changes {
            if change.isNull {
                members[key] = nil
            } else {
                members[key] = try merge(change, into: members[key] ?? .null, depth: depth + 1)
            }
        }
        return .object(members)
    }
}
