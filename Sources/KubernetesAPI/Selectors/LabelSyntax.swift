/// What label keys and values may look like.
enum LabelSyntax {
    /// Nil when `key` is a qualified name: `[prefix/]name`, the prefix a DNS subdomain.
    static func flaw(inKey key: String) -> String? {
        let parts = key.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let name: Substring
        switch parts.count {
        case 1:
            name = parts[0]
        case 2:
            name = parts[1]
            if let flaw = flaw(inPrefix: parts[0]) { return flaw }
        default:
            return "must be a name with at most one prefix (example.com/MyName)"
        }
        if name.isEmpty { return "name part must be non-empty" }
        if name.utf8.count > 63 { return "name part must be no more than 63 bytes" }
        guard isName(name) else {
            return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                + "an alphanumeric character"
        }
        return nil
    }

    /// Nil when `value` is empty or a name of at most 63 bytes.
    static func flaw(inValue value: String) -> String? {
        if value.utf8.count > 63 { return "must be no more than 63 bytes" }
        guard value.isEmpty || isName(value[...]) else {
            return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                + "must start and end with an alphanumeric character"
        }
        return nil
    }

    static func quote(_ text: String) -> String {
        JSONValue.string(text.count > 80 ? text.prefix(80) + "…" : text).description
    }

    private static func flaw(inPrefix prefix: Substring) -> String? {
        if prefix.isEmpty { return "prefix part must be non-empty" }
        if prefix.utf8.count > 253 { return "prefix part must be no more than 253 bytes" }
        let isSubdomain = prefix.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return isLowercaseAlphanumeric(first) && isLowercaseAlphanumeric(last)
                && label.utf8.allSatisfy { isLowercaseAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
        return isSubdomain ? nil : "prefix part must be a lowercase DNS subdomain (example.com)"
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.utf8.allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    private static func isLowercaseAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowercaseAlphanumeric(byte) || (0x41...0x5A).contains(byte)
    }
}
