extension Duration {
    /// Reads a duration as Kubernetes writes it: decimal numbers with units, such as `5m0s`, `1.5h` or `300ms`. Nil for anything else.
    public init?(kubernetes text: String) {
        var rest = text[...]
        var sign: Int64 = 1
        if rest.first == "-" || rest.first == "+" { sign = rest.removeFirst() == "-" ? -1 : 1 }
        if rest == "0" {
            self = .zero
            return
        }
        guard !rest.isEmpty, rest.utf8.count <= 64 else { return nil }
        var total = Duration.zero
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[digits.endIndex...]
            let unitText = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest[unitText.endIndex...]
            guard let number = Double(digits), let unit = Self.units[String(unitText)] else { return nil }
            // 292 years, the most that the format's origin can hold.
            guard number * unit < 9_223_372_036, total < .seconds(9_223_372_036) else { return nil }
            total += .nanoseconds(Int64((number * unit * 1e9).rounded()))
        }
        self = total * Int(sign)
    }

    /// In seconds.
    private static let units = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
    ]
}
