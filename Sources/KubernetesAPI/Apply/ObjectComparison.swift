/// What differs between two versions of an object.
struct ObjectComparison: Hashable, Sendable {
    var added = FieldSet.empty
    var modified = FieldSet.empty
    var removed = FieldSet.empty

    /// The fields the newer version has set, to whatever.
    var changed: FieldSet { added.union(modified) }
    var isSame: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

    init(old: JSONValue, new: JSONValue, type: ApplyType) throws(ApplyError) {
        try compare(old, new, type, depth: 0)
    }

    private init() {}

    private mutating func compare(_ old: JSONValue, _ new: JSONValue, _ type: ApplyType, depth: Int) throws(ApplyError)
    {
        if old == new { return }
        guard depth < FieldSet.depthLimit else { throw ApplyError(.tooDeep, [], "the object is nested too deeply") }
        switch (type, old, new) {
        case (.object, .object(let before), .object(let after)), (.map, .object(let before), .object(let after)):
            for name in Set(before.keys).union(after.keys) {
                try compareChild(
                    FieldStep.field(name), before[name], after[name], type.child(name), depth: depth)
            }
        case (.keyed(let keys, let reference), .array(let before), .array(let after)):
            guard let left = try ListSteps(before, keys, [], false), let right = try ListSteps(after, keys, [], false)
            else {
                modified = modified.asMember
                return
            }
            for step in Set(left.steps).union(right.steps) {
                try compareChild(
                    step, left.indexes[step].map { before[$0] }, right.indexes[step].map { after[$0] },
                    .object(reference), isElement: true, depth: depth)
            }
        case (.set, .array(let before), .array(let after)):
            let (left, right) = (Set(before.map(FieldStep.value)), Set(after.map(FieldStep.value)))
            for step in right.subtracting(left) { added.set(step, .member) }
            for step in left.subtracting(right) { removed.set(step, .member) }
        case (.atomic, _, _), (.object, _, _), (.map, _, _), (.keyed, _, _), (.set, _, _):
            modified = modified.asMember
        }
    }

    private mutating func compareChild(
        _ step: String, _ old: JSONValue?, _ new: JSONValue?, _ type: ApplyType, isElement: Bool = false, depth: Int
    ) throws(ApplyError) {
        switch (old, new) {
        case (nil, nil): return
        case (nil, let new?):
            let set = try FieldSet(of: new, type: type, isStrict: false)
            added.set(step, isElement ? set.asMember : set)
        case (let old?, nil):
            let set = try FieldSet(of: old, type: type, isStrict: false)
            removed.set(step, set.asMember)
        case (let old?, let new?):
            var below = ObjectComparison()
            try below.compare(old, new, type, depth: depth + 1)
            added.set(step, below.added)
            modified.set(step, below.modified)
            removed.set(step, below.removed)
        }
    }
}
