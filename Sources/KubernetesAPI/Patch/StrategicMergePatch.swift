/// Kubernetes' strategic merge patch: a merge patch whose lists of objects are merged by key where the type says so.
///
/// Directives: `$patch: replace|delete|merge` in a map or list element, `$retainKeys`,
/// `$deleteFromPrimitiveList/<field>` and `$setElementOrder/<field>`. Lists without a merge key are replaced.
public enum StrategicMergePatch {
    /// - Parameter schema: the type being patched; unknown fields are merged as maps and replaced as lists.
    public static func apply(
        _ patch: JSONValue, to target: JSONValue, schema: Schema
    ) throws(PatchError) -> JSONValue {
        guard case .object(let changes) = patch else {
            throw PatchError(.malformed, "a strategic merge patch must be an object, got \(patch.kindName)")
        }
        let merge = StrategicMerge(path: .root, depth: 0)
        return .object(try merge.merge(changes, into: target.objectValue ?? [:], type: schema.type))
    }

    /// Applies with the schema of a type.
    public static func apply<T: Decodable>(
        _ patch: JSONValue, to target: JSONValue, as type: T.Type
    ) throws(PatchError) -> JSONValue {
        try apply(patch, to: target, schema: Schema(of: type))
    }
}

/// The keys of a patch that say how to apply it.
enum StrategicDirective {
    static let patch = "$patch"
    static let retainKeys = "$retainKeys"
    static let deleteFromPrimitiveList = "$deleteFromPrimitiveList/"
    static let setElementOrder = "$setElementOrder/"

    static func isDirective(_ key: String) -> Bool {
        guard key.hasPrefix("$") else { return false }
        return key == patch || key == retainKeys || key.hasPrefix(deleteFromPrimitiveList)
            || key.hasPrefix(setElementOrder)
    }

    /// What a patch value leaves behind where there was nothing: no directives, no nulls, no deleted elements.
    static func removed(from value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            var kept: [String: JSONValue] = [:]
            for (key, member) in members where !isDirective(key) && !member.isNull {
                kept[key] = removed(from: member)
            }
            return .object(kept)
        case .array(let elements):
            return .array(
                elements.compactMap { element in
                    switch element[patch]?.stringValue {
                    case "delete": nil
                    // An element that only says how to treat the list is no element.
                    case .some where element.objectValue?.count == 1: nil
                    default: removed(from: element)
                    }
                })
        case .null, .bool, .integer, .double, .string:
            return value
        }
    }
}

/// One step of applying a strategic merge patch: the map at `path`.
private struct StrategicMerge {
    let path: FieldPath
    let depth: Int

    func failure(_ reason: String) -> PatchError {
        PatchError(.malformed, path.isRoot ? "strategic merge patch: \(reason)" : "\(path): \(reason)")
    }

    func below(_ key: String) throws(PatchError) -> StrategicMerge {
        guard depth < MergePatch.maximumDepth else {
            throw PatchError(.tooLarge, "the patch is nested deeper than \(MergePatch.maximumDepth) levels")
        }
        return StrategicMerge(path: path.child(key), depth: depth + 1)
    }

    func merge(
        _ changes: [String: JSONValue], into original: [String: JSONValue], type: SchemaType?
    ) throws(PatchError) -> [String: JSONValue] {
        var changes = changes
        if let directive = changes.removeValue(forKey: StrategicDirective.patch) {
            switch directive {
            case "replace": return StrategicDirective.removed(from: .object(changes)).objectValue ?? [:]
            case "delete": return [:]
            case "merge": break
            default: throw failure("unknown $patch directive \(directive); use replace, delete or merge")
            }
        }
        var result = original
        if let retained = changes.removeValue(forKey: StrategicDirective.retainKeys) {
            try retain(retained, in: &result, changes: changes)
        }
        for (key, list) in changes where key.hasPrefix(StrategicDirective.setElementOrder) {
            let field = String(key.dropFirst(StrategicDirective.setElementOrder.count))
            try reorder(field, as: list, changes: changes, result: &result, type: type)
            changes[key] = nil
            changes[field] = nil
        }
        // Removals last, so that a field that is also given anew does not depend on the order of keys.
        for (key, change) in changes where !key.hasPrefix(StrategicDirective.deleteFromPrimitiveList) {
            result[key] = try merged(change, into: result[key], key: key, owner: type)
        }
        for (key, change) in changes where key.hasPrefix(StrategicDirective.deleteFromPrimitiveList) {
            let field = String(key.dropFirst(StrategicDirective.deleteFromPrimitiveList.count))
            guard let unwanted = change.arrayValue else { throw failure("\(key) must be a list") }
            guard case .array(let elements)? = result[field] else { continue }
            let unwantedSet = Set(unwanted)
            result[field] = .array(elements.filter { !unwantedSet.contains($0) })
        }
        return result
    }

    /// What a field becomes; nil when it goes away.
    private func merged(
        _ change: JSONValue, into original: JSONValue?, key: String, owner: SchemaType?
    ) throws(PatchError) -> JSONValue? {
        if change.isNull { return nil }
        guard let original else {
            // The whole value is new, but its directives still have to make sense.
            return StrategicDirective.removed(from: change)
        }
        let type = owner.flatMap { Self.field(key, of: $0) }
        switch (change, original) {
        case (.object(let changes), .object(let members)):
            return .object(try below(key).merge(changes, into: members, type: type))
        case (.array(let changes), .array(let elements)):
            switch Self.listKind(key, of: owner) {
            case .atomic:
                return StrategicDirective.removed(from: change)
            case .set:
                return .array(mergeSet(changes, into: elements))
            case .keyed(let mergeKey, let elementType):
                return .array(
                    try below(key).mergeList(changes, into: elements, mergeKey: mergeKey, elementType: elementType))
            }
        default:
            return StrategicDirective.removed(from: change)
        }
    }

    private func retain(
        _ keys: JSONValue, in result: inout [String: JSONValue], changes: [String: JSONValue]
    ) throws(PatchError) {
        guard let list = keys.arrayValue else { throw failure("$retainKeys must be a list of field names") }
        let retained = Set(list.compactMap(\.stringValue))
        for key in changes.keys where !StrategicDirective.isDirective(key) && changes[key]?.isNull == false {
            guard retained.contains(key) else {
                throw failure("$retainKeys does not list \"\(key)\", which is patched")
            }
        }
        result = result.filter { retained.contains($0.key) }
    }
}

// MARK: Lists

extension StrategicMerge {
    enum ListKind {
        /// Replaced as a whole.
        case atomic
        /// Primitives, added to.
        case set
        /// Objects told apart by a field.
        case keyed(mergeKey: String, element: SchemaType)
    }

    static func field(_ key: String, of type: SchemaType) -> SchemaType? {
        switch type {
        case .object(let reference): reference.definition[key]?.type
        case .map(let element): element
        case .leaf, .array: nil
        }
    }

    static func listKind(_ key: String, of owner: SchemaType?) -> ListKind {
        guard let owner else { return .atomic }
        if case .object(let reference) = owner, reference.definition.mergedPrimitiveLists.contains(key) { return .set }
        guard case .array(let element)? = field(key, of: owner), case .object(let reference) = element,
            let mergeKey = reference.definition.patchMergeKey
        else { return .atomic }
        return .keyed(mergeKey: mergeKey, element: element)
    }

    func mergeSet(_ changes: [JSONValue], into original: [JSONValue]) -> [JSONValue] {
        var seen: Set<JSONValue> = []
        let union = (original + changes).filter { seen.insert($0).inserted }
        return Self.ordered(union, patchOrder: changes, serverOrder: original)
    }

    func mergeList(
        _ changes: [JSONValue], into original: [JSONValue], mergeKey: String, elementType: SchemaType
    ) throws(PatchError) -> [JSONValue] {
        var additions: [JSONValue] = []
        var deleted: Set<JSONValue> = []
        var isReplaced = false
        for change in changes {
            guard let directive = change[StrategicDirective.patch] else {
                additions.append(change)
                continue
            }
            switch directive {
            case "delete":
                guard let key = change[mergeKey] else {
                    throw failure("delete directive must name the element by its merge key \"\(mergeKey)\"")
                }
                deleted.insert(key)
            case "replace": isReplaced = true
            case "merge": additions.append(change)
            default: throw failure("unknown $patch directive \(directive); use replace, delete or merge")
            }
            if directive == "replace", (change.objectValue?.count ?? 0) > 1 { additions.append(change) }
        }
        if isReplaced { return additions.map(StrategicDirective.removed) }

        var result = original.filter { element in element[mergeKey].map { !deleted.contains($0) } ?? true }
        var indexes: [JSONValue: Int] = [:]
        for (index, element) in result.enumerated() {
            if let key = element[mergeKey], indexes[key] == nil { indexes[key] = index }
        }
        for change in additions {
            guard case .object(let members) = change, let key = members[mergeKey], !key.isNull else {
                throw failure("an element does not contain the declared merge key \"\(mergeKey)\"")
            }
            if let index = indexes[key] {
                let merge = StrategicMerge(path: path.key(key.stringValue ?? key.description), depth: depth + 1)
                result[index] = .object(
                    try merge.merge(members, into: result[index].objectValue ?? [:], type: elementType))
            } else {
                indexes[key] = result.count
                result.append(StrategicDirective.removed(from: change))
            }
        }
        return Self.ordered(
            result, patchOrder: additions.compactMap { $0[mergeKey] },
            serverOrder: original.compactMap { $0[mergeKey] },
            identity: { $0[mergeKey] ?? $0 })
    }

    /// Applies `$setElementOrder/<field>` and, with it, the change to the field itself.
    func reorder(
        _ field: String, as order: JSONValue, changes: [String: JSONValue], result: inout [String: JSONValue],
        type: SchemaType?
    ) throws(PatchError) {
        guard let order = order.arrayValue else { throw failure("$setElementOrder/\(field) must be a list") }
        let change = changes[field]
        var mergeKey: String?
        switch Self.listKind(field, of: type) {
        case .atomic:
            throw failure("$setElementOrder/\(field): the list is replaced as a whole and has no order to set")
        case .set: break
        case .keyed(let key, _): mergeKey = key
        }
        let identity: (JSONValue) -> JSONValue = { value in mergeKey.flatMap { value[$0] } ?? value }
        let orderKeys = order.map(identity)
        let changed = (change?.arrayValue ?? []).filter { $0[StrategicDirective.patch] == nil }.map(identity)
        guard Self.isSubsequence(changed, of: orderKeys) else {
            throw failure("the order in the patch list of \(field) does not match its $setElementOrder list")
        }
        let original = result[field]
        let value =
            try change.map { (change) throws(PatchError) in
                try merged(change, into: original, key: field, owner: type)
            } ?? original
        guard case .array(let elements)? = value else {
            result[field] = value
            return
        }
        result[field] = .array(
            Self.ordered(
                elements, patchOrder: orderKeys, serverOrder: (original?.arrayValue ?? []).map(identity),
                identity: identity))
    }

    private static func isSubsequence(_ part: [JSONValue], of whole: [JSONValue]) -> Bool {
        var rest = part[...]
        for element in whole where rest.first == element { rest = rest.dropFirst() }
        return rest.isEmpty
    }

    /// Puts the patch's elements into the patch's order and keeps the others where they were relative to them: an
    /// element only the server has comes before a patched one exactly when it did before.
    static func ordered(
        _ elements: [JSONValue], patchOrder: [JSONValue], serverOrder: [JSONValue],
        identity: (JSONValue) -> JSONValue = { $0 }
    ) -> [JSONValue] {
        func places(_ order: [JSONValue]) -> [JSONValue: Int] {
            Dictionary(order.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        }
        let patchPlaces = places(patchOrder)
        let serverPlaces = places(serverOrder)
        typealias Placed = (element: JSONValue, server: Int?, place: Int)
        var patched: [Placed] = []
        var serverOnly: [Placed] = []
        for element in elements {
            let key = identity(element)
            if let place = patchPlaces[key] {
                patched.append((element, serverPlaces[key], place))
            } else {
                serverOnly.append((element, serverPlaces[key], serverPlaces[key] ?? .max))
            }
        }
        patched.sort { $0.place < $1.place }
        serverOnly.sort { $0.place < $1.place }
        var result: [JSONValue] = []
        result.reserveCapacity(elements.count)
        var left = serverOnly[...]
        var right = patched[...]
        while let server = left.first, let patch = right.first {
            if let serverPlace = server.server, let patchPlace = patch.server, serverPlace < patchPlace {
                result.append(server.element)
                left = left.dropFirst()
            } else {
                result.append(patch.element)
                right = right.dropFirst()
            }
        }
        return result + left.map(\.element) + right.map(\.element)
    }
}
