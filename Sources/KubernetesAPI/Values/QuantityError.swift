/// A text that is no `Quantity`.
public enum QuantityError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a number followed by a suffix.
    case malformed(String)
    /// A suffix that is none of Kubernetes'.
    case unknownSuffix(String)
    /// No digits.
    case noDigits(String)

    public var description: String {
        switch self {
        case .malformed(let text):
            "quantity \(Self.quote(text)) is malformed: quantities must match the regular expression "
                + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        case .unknownSuffix(let text):
            "quantity \(Self.quote(text)): unable to parse quantity's suffix; use n, u, m, k, M, G, T, P, E, "
                + "Ki, Mi, Gi, Ti, Pi, Ei or an exponent such as e3"
        case .noDigits(let text):
            "quantity \(Self.quote(text)): unable to parse numeric part of quantity"
        }
    }

    private static func quote(_ text: String) -> String {
        let limit = 64
        return JSONValue.string(text.count > limit ? text.prefix(limit) + "…" : text).description
    }
}
