/// Expansion of `$(VAR)` in commands, arguments, environment values and `subPathExpr`.
///
/// `$(VAR)` becomes the variable's value, or stays as it is when there is no such variable. `$$` becomes `$`, so
/// `$$(VAR)` is the text `$(VAR)`. Values are not expanded again.
public enum VariableExpansion {
    /// The most bytes one expanded text may have. Variables that refer to others twice each double at every step, so
    /// a few lines of YAML could otherwise ask for more memory than there is. The kernel takes 128 KiB per argument.
    public static let maximumBytes = 1024 * 1024

    /// Expands `text`.
    ///
    /// - Parameter value: the value of a variable by name; nil leaves the reference as it is.
    /// - Throws: ``VariableExpansionError/tooLong(maximumBytes:)``, and nothing else.
    public static func expand(
        _ text: String, value: (String) -> String?
    ) throws(VariableExpansionError) -> String {
        guard text.utf8.contains(dollar) else { return text }
        let input = Array(text.utf8)
        // Found once: looking for it at every `$(` would make a text of many open references cost quadratic time.
        let lastClosing = input.lastIndex(of: UInt8(ascii: ")")) ?? 0
        var output: [UInt8] = []
        var index = 0
        while index < input.count {
            let byte = input[index]
            guard byte == dollar, index + 1 < input.count else {
                output.append(byte)
                index += 1
                continue
            }
            if input[index + 1] == dollar {
                output.append(dollar)
                index += 2
            } else if index < lastClosing, let name = reference(in: input, at: index) {
                let reference = input[index..<name.upperBound + 1]
                if let value = value(String(decoding: input[name], as: UTF8.self)) {
                    output += value.utf8
                } else {
                    output += reference
                }
                index = reference.endIndex
            } else {
                output.append(byte)
                index += 1
            }
            if output.count > maximumBytes { throw .tooLong(maximumBytes: maximumBytes) }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Expands `text` where every variable must exist and have a value, as in `subPathExpr`.
    public static func expandRequiringValues(
        _ text: String, value: (String) -> String?
    ) throws(VariableExpansionError) -> String {
        var missing: String?
        let expanded = try expand(text) { name in
            let found = value(name)
            if (found ?? "").isEmpty && missing == nil { missing = name }
            return found
        }
        if let missing { throw .undefined(name: missing) }
        return expanded
    }

    private static let dollar = UInt8(ascii: "$")

    /// The range of the name in the `$(name)` that starts at `index`; nil when there is none.
    private static func reference(in input: [UInt8], at index: Int) -> Range<Int>? {
        guard input[index + 1] == UInt8(ascii: "(") else { return nil }
        let start = index + 2
        guard let end = input[start...].firstIndex(of: UInt8(ascii: ")")) else { return nil }
        return start..<end
    }
}

/// Why a text with `$(VAR)` could not be expanded.
public enum VariableExpansionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The result would have more bytes than allowed.
    case tooLong(maximumBytes: Int)
    /// A variable that must have a value is missing or empty.
    case undefined(name: String)

    public var description: String {
        switch self {
        case .tooLong(let maximumBytes):
            "the text has more than \(maximumBytes) bytes once its $(VAR) references are expanded: use fewer of them"
        case .undefined(let name):
            "variable \(JSONValue.string(name)) has no value: define it in env or envFrom"
        }
    }
}
