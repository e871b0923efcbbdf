/// The forms names take in the API. Each rule answers with the reasons a value breaks it, worded as the API server
/// words them because people and tools match on the text; an empty answer means the value is fine.
///
/// The rules look at bytes, never at characters, so no Unicode equivalence can smuggle anything past them.
enum NameRules {
    static let labelMaximum = 63
    static let subdomainMaximum = 253

    /// `web-1`: RFC 1123, at most 63 bytes.
    static func dns1123Label(_ value: String) -> [String] {
        var reasons = lengthReasons(value, maximum: labelMaximum)
        if !isDNS1123Label(value.utf8) {
            if isDNS1123Subdomain(value) {
                reasons.append("must not contain dots")
            } else {
                reasons.append(
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
                        + "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
                        + "validation is '\(labelPattern)')")
            }
        }
        return reasons
    }

    /// `web.example.com`: labels joined by dots, at most 253 bytes.
    static func dns1123Subdomain(_ value: String) -> [String] {
        var reasons = lengthReasons(value, maximum: subdomainMaximum)
        if !isDNS1123Subdomain(value) {
            reasons.append(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
                    + "must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
                    + "validation is '\(labelPattern)(\\.\(labelPattern))*')")
        }
        return reasons
    }

    /// `web-1`, starting with a letter, as names of services do.
    static func dns1035Label(_ value: String) -> [String] {
        var reasons = lengthReasons(value, maximum: labelMaximum)
        if !isDNS1123Label(value.utf8) || !(value.utf8.first.map(isLowercase) ?? false) {
            reasons.append(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                    + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used "
                    + "for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")
        }
        return reasons
    }

    /// `example.com/Name`, the form of label keys, annotation keys, finalizers and resource names.
    static func qualifiedName(_ value: String) -> [String] {
        let parts = value.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last else {
            return [
                "a valid label key \(qualifiedNameReason) with an optional DNS subdomain prefix and '/' "
                    + "(e.g. 'example.com/MyName')"
            ]
        }
        var reasons: [String] = []
        if parts.count == 2 {
            let prefix = String(decoding: parts[0], as: UTF8.self)
            if prefix.isEmpty {
                reasons.append("prefix part must be non-empty")
            } else {
                reasons += dns1123Subdomain(prefix).map { "prefix part \($0)" }
            }
        }
        if last.isEmpty {
            reasons.append("name part must be non-empty")
        } else if last.count > labelMaximum {
            reasons.append("name part must be no more than \(labelMaximum) bytes")
        }
        if !isLabelText(last) { reasons.append("name part \(qualifiedNameReason)") }
        return reasons
    }

    /// The value of a label: empty, or text of at most 63 bytes.
    static func labelValue(_ value: String) -> [String] {
        var reasons: [String] = []
        if value.utf8.count > labelMaximum { reasons.append("must be no more than \(labelMaximum) bytes") }
        if !value.isEmpty && !isLabelText(value.utf8[...]) {
            reasons.append(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                    + "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                    + "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
        }
        return reasons
    }

    /// A key of a ConfigMap or Secret, which must be safe as a file name.
    static func dataKey(_ value: String) -> [String] {
        var reasons = lengthReasons(value, maximum: subdomainMaximum)
        let allowed = value.utf8.allSatisfy { isAlphanumeric($0) || isOneOf($0, "-._") }
        if value.isEmpty || !allowed {
            reasons.append(
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    + "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
        }
        if value == "." {
            reasons.append("must not be '.'")
        } else if value == ".." {
            reasons.append("must not be '..'")
        } else if value.utf8.starts(with: "..".utf8) {
            reasons.append("must not start with '..'")
        }
        return reasons
    }

    /// The name of an environment variable: printable ASCII without `=`.
    static func environmentVariable(_ value: String) -> [String] {
        if value.isEmpty { return ["environment variable name must be non-empty"] }
        let allowed = value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "=") }
        return allowed
            ? []
            : [
                "a valid environment variable name must consist only of printable ASCII characters other than '='"
            ]
    }

    /// The name of a container port: at most 15 of `a-z`, `0-9` and single inner hyphens, with a letter.
    static func portName(_ value: String) -> [String] {
        var reasons = lengthReasons(value, maximum: 15)
        let hyphen = UInt8(ascii: "-")
        if value.isEmpty || !value.utf8.allSatisfy({ isLowercaseAlphanumeric($0) || $0 == hyphen }) {
            reasons.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !value.utf8.contains(where: isLowercase) { reasons.append("must contain at least one letter (a-z)") }
        if zip(value.utf8, value.utf8.dropFirst()).contains(where: { $0 == hyphen && $1 == hyphen }) {
            reasons.append("must not contain consecutive hyphens")
        }
        if value.utf8.first == hyphen || value.utf8.last == hyphen {
            reasons.append("must not begin or end with a hyphen")
        }
        return reasons
    }

    static func httpHeaderName(_ value: String) -> [String] {
        let allowed = value.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        return allowed && !value.isEmpty
            ? []
            : [
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
                    + "for validation is '[-A-Za-z0-9]+')"
            ]
    }

    private static let labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    private static let qualifiedNameReason =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        + "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

    private static func lengthReasons(_ value: String, maximum: Int) -> [String] {
        value.utf8.count > maximum ? ["must be no more than \(maximum) characters"] : []
    }

    private static func isDNS1123Subdomain(_ value: String) -> Bool {
        value.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(isDNS1123Label)
    }

    private static func isDNS1123Label(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        return isLowercaseAlphanumeric(first) && isLowercaseAlphanumeric(last)
            && bytes.allSatisfy { isLowercaseAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isLabelText(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && bytes.allSatisfy { isAlphanumeric($0) || isOneOf($0, "-_.") }
    }

    private static func isLowercase(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isLowercaseAlphanumeric(_ byte: UInt8) -> Bool {
        isLowercase(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowercaseAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isOneOf(_ byte: UInt8, _ characters: StaticString) -> Bool {
        characters.withUTF8Buffer { $0.contains(byte) }
    }
}
