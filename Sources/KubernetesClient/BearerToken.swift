/// Where the `Authorization: Bearer` value comes from.
public enum BearerToken: Sendable, Hashable, CustomStringConvertible {
    case fixed(String)
    /// Read again while the client runs, so that a rotated token is picked up.
    case file(String)

    /// Never the token itself.
    public var description: String {
        switch self {
        case .fixed: "fixed token"
        case .file(let path): "token file \(path)"
        }
    }
}
