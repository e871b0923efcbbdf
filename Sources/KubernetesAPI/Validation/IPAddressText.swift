import Glibc

/// Textual IP addresses in the strict forms the API takes: no leading zeros, no zone.
enum IPAddressText {
    static func isValid(_ text: String) -> Bool {
        isIPv4(text) || isIPv6(text)
    }

    static func isIPv4(_ text: String) -> Bool {
        parses(text, family: AF_INET)
    }

    static func isIPv6(_ text: String) -> Bool {
        parses(text, family: AF_INET6)
    }

    /// Whether `text` is `address/length` with a length the family allows.
    static func isCIDR(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = UInt8(parts[1]), String(length) == parts[1] else { return false }
        let address = String(parts[0])
        return (isIPv4(address) && length <= 32) || (isIPv6(address) && length <= 128)
    }

    private static func parses(_ text: String, family: Int32) -> Bool {
        // The longest form is 45 bytes; C would stop reading at a NUL.
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return false }
        var address = in6_addr()
        return inet_pton(family, text, &address) == 1
    }
}
