/// A patch that cannot be applied.
public struct PatchError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The patch itself is wrong; it fits no object.
        case malformed
        /// The object has nothing at a path the patch names.
        case missing
        /// A `test` operation found another value.
        case testFailed
        /// A limit on operations, size or depth.
        case tooLarge
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
