/// Names of sandboxes and containers.
enum Identifier {
    /// 64 hexadecimal digits, as every CRI runtime has them, from the kernel's random number generator.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        var text = ""
        for _ in 0..<4 {
            let digits = String(generator.next(), radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }
}
