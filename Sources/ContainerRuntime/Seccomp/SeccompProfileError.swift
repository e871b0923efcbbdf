/// What is wrong in a seccomp profile, and where.
struct SeccompProfileError: Error, Hashable, CustomStringConvertible {
    /// A field as in `syscalls[3].args[0].op`; empty for the whole document.
    let field: String
    let reason: String

    init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    var description: String { field.isEmpty ? reason : "\(field): \(reason)" }
}
