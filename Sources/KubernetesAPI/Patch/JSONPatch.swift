/// JSON patch (RFC 6902): a list of operations, applied in order, all or none.
public enum JSONPatch {
    /// The limits Kubernetes' API server has.
    static let maximumOperations = 10_000
    /// How many bytes `copy` may add in all, about; copies of copies would otherwise grow without bound.
    static let maximumCopiedBytes = 3 << 20
    /// How deep the result may be nested.
    static let maximumDepth = 256

    enum Operation: Hashable {
        case add(JSONPointer, JSONValue)
        case remove(JSONPointer)
        case replace(JSONPointer, JSONValue)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, JSONValue)
    }

    /// - Parameter patch: the array of operations.
    public static func apply(_ patch: JSONValue, to document: JSONValue) throws(PatchError) -> JSONValue {
        guard case .array(let list) = patch else {
            throw PatchError(.malformed, "a JSON patch must be an array of operations, got \(patch.kindName)")
        }
        guard list.count <= maximumOperations else {
            throw PatchError(
                .tooLarge,
                "the allowed maximum operations in a JSON patch is \(maximumOperations), got \(list.count)")
        }
        var operations: [Operation] = []
        for (index, value) in list.enumerated() { operations.append(try parse(value, index: index)) }
        var document = document
        var copyBudget = maximumCopiedBytes
        for (index, operation) in operations.enumerated() {
            do throws(PatchError) {
                try apply(operation, to: &document, copyBudget: &copyBudget)
            } catch {
                throw PatchError(error.code, "JSON patch operation \(index): \(error.message)")
            }
        }
        guard !document.isDeeper(than: maximumDepth) else {
            throw PatchError(.tooLarge, "the patched object is nested deeper than \(maximumDepth) levels")
        }
        return document
    }

    private static func parse(_ value: JSONValue, index: Int) throws(PatchError) -> Operation {
        func failure(_ reason: String) -> PatchError {
            PatchError(.malformed, "JSON patch operation \(index): \(reason)")
        }
        func pointer(_ name: String) throws(PatchError) -> JSONPointer {
            guard let text = value[name]?.stringValue else { throw failure("\"\(name)\" must be a string") }
            do throws(PatchError) {
                return try JSONPointer(parsing: text)
            } catch {
                throw PatchError(error.code, failure(error.message).message)
            }
        }
        func operand() throws(PatchError) -> JSONValue {
            guard let operand = value["value"] else { throw failure("\"value\" is missing") }
            return operand
        }
        guard case .object = value else { throw failure("must be an object, got \(value.kindName)") }
        guard let name = value["op"]?.stringValue else { throw failure("\"op\" must be a string") }
        switch name {
        case "add": return .add(try pointer("path"), try operand())
        case "remove": return .remove(try pointer("path"))
        case "replace": return .replace(try pointer("path"), try operand())
        case "move": return .move(from: try pointer("from"), to: try pointer("path"))
        case "copy": return .copy(from: try pointer("from"), to: try pointer("path"))
        case "test": return .test(try pointer("path"), try operand())
        default:
            throw failure(
                "unknown operation \(LabelSyntax.quote(name)); use add, remove, replace, move, copy or test")
        }
    }

    private static func apply(
        _ operation: Operation, to document: inout JSONValue, copyBudget: inout Int
    ) throws(PatchError) {
        switch operation {
        case .add(let path, let value):
            try document.edit(path, .add(value))
        case .remove(let path):
            try document.edit(path, .remove)
        case .replace(let path, let value):
            try document.edit(path, .replace(value))
        case .move(let source, let target):
            let value = try document.value(at: source)
            if source == target { return }
            guard !source.contains(target) else {
                throw PatchError(.malformed, "\"\(source)\" cannot be moved into itself at \"\(target)\"")
            }
            try document.edit(source, .remove)
            try document.edit(target, .add(value))
        case .copy(let source, let target):
            let value = try document.value(at: source)
            copyBudget -= value.approximateSize(limit: copyBudget)
            guard copyBudget >= 0 else {
                throw PatchError(.tooLarge, "copies add more than \(maximumCopiedBytes) bytes")
            }
            try document.edit(target, .add(value))
        case .test(let path, let expected):
            guard try document.value(at: path).isEquivalent(to: expected) else {
                throw PatchError(.testFailed, "testing value \"\(path)\" failed")
            }
        }
    }
}

/// What happens at the end of a path.
private enum JSONEdit {
    case add(JSONValue)
    case replace(JSONValue)
    case remove
}

extension JSONValue {
    fileprivate func value(at path: JSONPointer) throws(PatchError) -> JSONValue {
        var value = self
        for token in path.tokens {
            switch value {
            case .object(let members):
                guard let member = members[token] else { throw Self.missing(path) }
                value = member
            case .array(let elements):
                value = elements[try Self.index(token, count: elements.count, path: path)]
            case .null, .bool, .integer, .double, .string:
                throw Self.missing(path)
            }
        }
        return value
    }

    fileprivate mutating func edit(_ path: JSONPointer, _ edit: JSONEdit) throws(PatchError) {
        guard !path.tokens.isEmpty else {
            switch edit {
            case .add(let value), .replace(let value): self = value
            case .remove: self = .null
            }
            return
        }
        try self.edit(path.tokens[...], edit, path)
    }

    private mutating func edit(
        _ tokens: ArraySlice<String>, _ edit: JSONEdit, _ path: JSONPointer
    ) throws(PatchError) {
        guard let token = tokens.first else { return }
        let isLast = tokens.count == 1
        switch self {
        case .object(var members):
            // Taken out of `self` first, so that the dictionary is changed in place instead of copied.
            self = .null
            defer { self = .object(members) }
            if isLast {
                switch edit {
                case .add(let value):
                    members[token] = value
                case .replace(let value):
                    guard members[token] != nil else { throw Self.missing(path) }
                    members[token] = value
                case .remove:
                    guard members.removeValue(forKey: token) != nil else { throw Self.missing(path) }
                }
            } else {
                guard members[token] != nil else { throw Self.missing(path) }
                try members[token]?.edit(tokens.dropFirst(), edit, path)
            }
        case .array(var elements):
            self = .null
            defer { self = .array(elements) }
            if isLast, case .add(let value) = edit {
                let end = elements.count
                let index = token == "-" ? end : try Self.index(token, count: end + 1, path: path)
                elements.insert(value, at: index)
                return
            }
            let index = try Self.index(token, count: elements.count, path: path)
            if !isLast {
                try elements[index].edit(tokens.dropFirst(), edit, path)
            } else if case .replace(let value) = edit {
                elements[index] = value
            } else {
                elements.remove(at: index)
            }
        case .null, .bool, .integer, .double, .string:
            throw Self.missing(path)
        }
    }

    private static func missing(_ path: JSONPointer) -> PatchError {
        PatchError(.missing, "there is nothing at \"\(path)\"")
    }

    /// An array index is `0` or digits without a leading zero (RFC 6901).
    private static func index(_ token: String, count: Int, path: JSONPointer) throws(PatchError) -> Int {
        let digits = token.utf8
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            digits.count == 1 || digits.first != 0x30
        else {
            throw PatchError(.missing, "\"\(path)\": \(LabelSyntax.quote(token)) is no array index")
        }
        guard let index = Int(token), index < count else {
            throw PatchError(.missing, "\"\(path)\": index \(token) is outside the array")
        }
        return index
    }

    /// Equality with numbers compared by value.
    func isEquivalent(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.integer(let left), .double(let right)): return Double(left) == right && Int64(exactly: right) == left
        case (.double(let left), .integer(let right)): return Double(right) == left && Int64(exactly: left) == right
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isEquivalent(to: $1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && left.allSatisfy { key, value in right[key].map { value.isEquivalent(to: $0) } ?? false }
        default:
            return self == other
        }
    }

    /// About how many bytes this takes as JSON; stops counting once past the limit.
    fileprivate func approximateSize(limit: Int) -> Int {
        switch self {
        case .null, .bool: return 4
        case .integer, .double: return 8
        case .string(let text): return text.utf8.count + 2
        case .array(let elements):
            var size = 2
            for element in elements where size <= limit { size += element.approximateSize(limit: limit - size) + 1 }
            return size
        case .object(let members):
            var size = 2
            for (key, value) in members where size <= limit {
                size += key.utf8.count + 4 + value.approximateSize(limit: limit - size)
            }
            return size
        }
    }

    fileprivate func isDeeper(than limit: Int) -> Bool {
        switch self {
        case .null, .bool, .integer, .double, .string: return false
        case .array(let elements):
            return limit == 0 || elements.contains { $0.isDeeper(than: limit - 1) }
        case .object(let members):
            return limit == 0 || members.values.contains { $0.isDeeper(than: limit - 1) }
        }
    }
}
