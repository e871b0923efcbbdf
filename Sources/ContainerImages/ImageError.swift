/// An image could not be parsed, verified, unpacked, stored, found or removed.
///
/// `description` is one line that names the archive or image, the entry where there is one, and the reason.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is: stable, for callers that decide by it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case invalidReference, invalidArchive, digestMismatch, unsafePath, limitExceeded
            case notFound, inUse, platformMismatch, invalidUser, storage, cancelled
            case unauthorized, unavailable, invalidAnswer, invalidCredentials, invalidConfiguration, untrusted
        }

        private let value: Value
        public var description: String { value.rawValue }

        private init(_ value: Value) { self.value = value }

        /// An image name that does not follow the grammar.
        public static let invalidReference = Code(.invalidReference)
        /// Not an image archive, a truncated one, or one whose documents contradict the format.
        public static let invalidArchive = Code(.invalidArchive)
        /// Content whose hash or size is not the promised one.
        public static let digestMismatch = Code(.digestMismatch)
        /// An archive entry that points, or may point, outside its root.
        public static let unsafePath = Code(.unsafePath)
        /// More bytes, files, depth or attributes than ``UnpackLimits`` allows.
        public static let limitExceeded = Code(.limitExceeded)
        /// No such image, user or group.
        public static let notFound = Code(.notFound)
        /// The image is needed by a container.
        public static let inUse = Code(.inUse)
        /// The image is for another operating system or processor.
        public static let platformMismatch = Code(.platformMismatch)
        /// A user string that is neither a valid number nor a valid name.
        public static let invalidUser = Code(.invalidUser)
        /// The kernel refused an operation on the store: disk full, read-only, permission.
        public static let storage = Code(.storage)
        /// The task that asked for it was cancelled.
        public static let cancelled = Code(.cancelled)
        /// The registry does not give it to whoever we are: 401 or 403, or a token server that refuses.
        public static let unauthorized = Code(.unauthorized)
        /// No endpoint of the registry answers, or all are too busy.
        public static let unavailable = Code(.unavailable)
        /// An answer that is none of a registry's, or one that is not to be trusted.
        public static let invalidAnswer = Code(.invalidAnswer)
        /// A file or secret with credentials that cannot be read.
        public static let invalidCredentials = Code(.invalidCredentials)
        /// `registries.yaml` that cannot be in force.
        public static let invalidConfiguration = Code(.invalidConfiguration)

        /// It has not proved what the node's policy asks images of its name for.
        public static let untrusted = Code(.untrusted)

        /// One that unpacking a layer can end with, by its name; `nil` for any other.
        init?(ofUnpacking name: String) {
            guard let value = Value(rawValue: name) else { return nil }
            switch value {
            case .invalidArchive, .digestMismatch, .unsafePath, .limitExceeded, .storage: self.init(value)
            case .invalidReference, .notFound, .inUse, .platformMismatch, .invalidUser, .cancelled, .unauthorized,
                .unavailable, .invalidAnswer, .invalidCredentials, .invalidConfiguration, .untrusted:
                return nil
            }
        }
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// Bytes nobody vetted, as one quoted printable word of at most 200 bytes for a message or a log line.
    static func quoted(_ bytes: some Collection<UInt8>) -> String {
        var text = "\""
        for byte in bytes.prefix(200) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F:
                text += String(UnicodeScalar(byte))
            default:
                text += byte < 16 ? "\\x0" : "\\x"
                text += String(byte, radix: 16)
            }
        }
        return text + (bytes.count > 200 ? "…\"" : "\"")
    }

    /// As ``quoted(_:)`` for text.
    static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }
}
