/// One instruction of the kernel's classic BPF machine, which runs seccomp filters (`struct sock_filter`).
struct SeccompInstruction: Hashable, Sendable {
    var code: UInt16
    /// Instructions skipped when the comparison holds, and when it does not.
    var whenTrue: UInt8 = 0
    var whenFalse: UInt8 = 0
    var operand: UInt32

    private static let load: UInt16 = 0x20
    private static let and: UInt16 = 0x54
    private static let jump: UInt16 = 0x05
    private static let giveBack: UInt16 = 0x06

    enum Test: UInt16 {
        case equal = 0x15
        case greater = 0x25
        case greaterOrEqual = 0x35
    }

    /// Loads a word of `struct seccomp_data`: the number at 0, the architecture at 4, the arguments from 16 on.
    static func load(_ offset: UInt32) -> Self { Self(code: load, operand: offset) }

    static func and(_ mask: UInt32) -> Self { Self(code: and, operand: mask) }

    static func skip(_ count: Int) -> Self { Self(code: jump, operand: UInt32(clamping: count)) }

    static func compare(_ test: Test, _ operand: UInt32, whenTrue: UInt8 = 0, whenFalse: UInt8 = 0) -> Self {
        Self(code: test.rawValue, whenTrue: whenTrue, whenFalse: whenFalse, operand: operand)
    }

    static func answer(_ action: SeccompAction) -> Self { Self(code: giveBack, operand: action.returnValue) }
}

/// A filter ready for the kernel.
struct SeccompProgram: Hashable, Sendable {
    /// The longest that the kernel takes (`BPF_MAXINSNS`).
    static let maximumLength = 4096

    var instructions: [SeccompInstruction]

    /// As an array of `struct sock_filter`, in the byte order of the machine (little-endian on all that are supported).
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * 8)
        for instruction in instructions {
            bytes.append(UInt8(truncatingIfNeeded: instruction.code))
            bytes.append(UInt8(truncatingIfNeeded: instruction.code >> 8))
            bytes.append(instruction.whenTrue)
            bytes.append(instruction.whenFalse)
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: instruction.operand >> shift))
            }
        }
        return bytes
    }
}
