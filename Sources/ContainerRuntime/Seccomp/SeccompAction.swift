/// What the kernel does with a system call: the value that a filter returns.
struct SeccompAction: Hashable, Sendable {
    /// `SECCOMP_RET_*` with its data in the low 16 bits.
    let returnValue: UInt32

    static let allow = SeccompAction(returnValue: 0x7fff_0000)
    static let log = SeccompAction(returnValue: 0x7ffc_0000)
    static let trap = SeccompAction(returnValue: 0x0003_0000)
    static let killThread = SeccompAction(returnValue: 0)
    static let killProcess = SeccompAction(returnValue: 0x8000_0000)

    static func error(_ errno: UInt16) -> SeccompAction { SeccompAction(returnValue: 0x0005_0000 | UInt32(errno)) }
    static func trace(_ message: UInt16) -> SeccompAction { SeccompAction(returnValue: 0x7ff0_0000 | UInt32(message)) }

    /// The order in which the kernel itself prefers the answers of several filters: the lower, the stricter.
    var strictness: Int32 { Int32(bitPattern: returnValue & 0xffff_0000) }

    /// The call is carried out, or may be: a tracer is asked.
    var letsThrough: Bool { strictness >= SeccompAction.trace(0).strictness }
}
