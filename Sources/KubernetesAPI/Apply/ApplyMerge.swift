/// Puts a configuration into an object, and takes out what it once put there.
enum ApplyMerge {
    /// The object with every field of the configuration as the configuration has it.
    static func merge(
        _ configuration: JSONValue, into live: JSONValue?, _ type: ApplyType, _ path: [String] = []
    ) throws(ApplyError) -> JSONValue {
        guard path.count < FieldSet.depthLimit else { throw ApplyError(.tooDeep, path, "is nested too deeply") }
        switch (type, configuration) {
        case (.object, .object(let members)), (.map, .object(let members)):
            guard case .object(var merged)? = live else { return configuration }
            for (name, member) in members {
                merged[name] = try merge(
                    member, into: merged[name], type.child(name), path + [FieldStep.field(name)])
            }
            return .object(merged)
        case (.keyed(let keys, let reference), .array(let elements)):
            let present = live?.arrayValue ?? []
            guard let wanted = try ListSteps(elements, keys, path, true) else { return configuration }
            // What cannot be told apart cannot be merged with.
            guard let known = try ListSteps(present, keys, path, false) else { return configuration }
            var merged: [JSONValue] = []
            for step in order(known.steps, wanted.steps) {
                let current = known.indexes[step].map { present[$0] }
                if let index = wanted.indexes[step] {
                    merged.append(try merge(elements[index], into: current, .object(reference), path + [step]))
                } else if let current {
                    merged.append(current)
                }
            }
            return .array(merged)
        case (.set, .array(let elements)):
            let present = live?.arrayValue ?? []
            let wanted = elements.map { (FieldStep.value($0), $0) }
            let known = present.map { (FieldStep.value($0), $0) }
            let values = Dictionary(known + wanted, uniquingKeysWith: { first, _ in first })
            return .array(order(known.map(\.0), wanted.map(\.0)).compactMap { values[$0] })
        case (.atomic, _), (.object, _), (.map, _), (.keyed, _), (.set, _):
            return configuration
        }
    }

    /// Both lists as one: the configuration decides the order of its own elements, the others stay behind the same
    /// neighbour.
    static func order(_ live: [String], _ wanted: [String]) -> [String] {
        let own = Set(wanted)
        var placed: Set<String> = []
        var merged: [String] = []
        var (left, right) = (live[...], wanted[...])
        while let step = left.first ?? right.first {
            if let first = left.first, !own.contains(first) || placed.contains(first) {
                left = left.dropFirst()
                if placed.insert(first).inserted { merged.append(first) }
            } else {
                let next = right.first ?? step
                right = right.dropFirst()
                if left.first == next { left = left.dropFirst() }
                if placed.insert(next).inserted { merged.append(next) }
            }
        }
        return merged
    }

    /// The object without the fields of `owned` that nobody else holds.
    /// - Parameters:
    ///   - owned: what the manager owned before.
    ///   - kept: what the manager still applies and what others own.
    static func prune(_ object: JSONValue, owned: FieldSet, kept: FieldSet, _ type: ApplyType) -> JSONValue {
        switch (type, object) {
        case (.object, .object(let members)), (.map, .object(let members)):
            var left = members
            for (step, child) in owned.children {
                guard step.hasPrefix("f:") else { continue }
                let name = String(step.dropFirst(2))
                guard let member = members[name] else { continue }
                if let holder = kept.children[step] {
                    left[name] = prune(member, owned: child, kept: holder, type.child(name))
                } else {
                    left[name] = nil
                }
            }
            return .object(left)
        case (.keyed(let keys, let reference), .array(let elements)):
            let left = elements.compactMap { element -> JSONValue? in
                guard let step = FieldStep.element(element, keys: keys), let child = owned.children[step] else {
                    return element
                }
                guard let holder = kept.children[step] else {
                    // One who only changed something inside does not take the element away.
                    guard !child.isMember else { return nil }
                    return pruneElement(element, child, .empty, keys, reference)
                }
                return pruneElement(element, child, holder, keys, reference)
            }
            return .array(left)
        case (.set, .array(let elements)):
            return .array(
                elements.filter { element in
                    let step = FieldStep.value(element)
                    return owned.children[step] == nil || kept.children[step] != nil
                })
        case (.atomic, _), (.object, _), (.map, _), (.keyed, _), (.set, _):
            return object
        }
    }

    /// What tells the element apart stays.
    private static func pruneElement(
        _ element: JSONValue, _ owned: FieldSet, _ kept: FieldSet, _ keys: [ApplyKey], _ reference: SchemaReference
    ) -> JSONValue {
        var kept = kept
        for key in keys { kept = kept.union(FieldSet(children: [FieldStep.field(key.name): .member])) }
        return prune(element, owned: owned, kept: kept, .object(reference))
    }
}
