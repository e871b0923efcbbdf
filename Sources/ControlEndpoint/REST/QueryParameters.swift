/// The query of a request, decoded. A parameter may be given more than once.
struct QueryParameters: Sendable {
    private let values: [String: [String]]

    init(parsing query: String) {
        var values: [String: [String]] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = PercentEncoding.decode(parts[0], plusIsSpace: true)
            let value = parts.count > 1 ? PercentEncoding.decode(parts[1], plusIsSpace: true) : ""
            // A broken escape makes the parameter meaningless; it is ignored, as an unknown one is.
            if let name, let value { values[name, default: []].append(value) }
        }
        self.values = values
    }

    /// The first value of a parameter, "" when it is absent.
    subscript(name: String) -> String { values[name]?.first ?? "" }

    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// A Kubernetes boolean parameter: present without a value counts as true, and some clients write True and False.
    func flag(_ name: String) -> Bool {
        guard let value = values[name]?.first else { return false }
        return value.lowercased() != "false" && value != "0"
    }

    /// A whole number, nil when absent.
    func integer(_ name: String) throws(APIStatusError) -> Int64? {
        let text = self[name]
        if text.isEmpty { return nil }
        guard let number = Int64(text) else {
            throw .badRequest("query parameter \(name): invalid value \"\(text)\": must be a whole number")
        }
        return number
    }
}

/// RFC 3986 percent-encoding.
enum PercentEncoding {
    /// Nil when an escape is broken or the result is not UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
