/// Names for staging files and directories that no other writer uses.
enum RandomName {
    /// 16 hexadecimal digits from the system's random generator.
    static func make() -> String {
        let text = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
