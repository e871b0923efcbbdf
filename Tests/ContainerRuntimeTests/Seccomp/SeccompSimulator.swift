@testable import ContainerRuntime

/// The kernel's machine for seccomp filters, with the checks that it makes when a filter is installed.
struct SeccompSimulator {
    struct Call {
        var number: UInt32
        /// `AUDIT_ARCH_X86_64` unless told.
        var architecture: UInt32 = 0xC000_003E
        var arguments: [UInt64] = []
    }

    enum Invalid: Error, Equatable {
        case length(Int), jump(Int), load(UInt32), code(UInt16), noAnswer
    }

    private let code: [SeccompInstruction]

    /// Takes what would go to the kernel.
    init(_ bytes: [UInt8]) throws(Invalid) {
        guard bytes.count % 8 == 0, (1...4096).contains(bytes.count / 8) else { throw .length(bytes.count) }
        code = stride(from: 0, to: bytes.count, by: 8).map { start in
            let word = { (offset: Int, count: Int) in
                (0..<count).reduce(UInt32(0)) { $0 | UInt32(bytes[start + offset + $1]) << UInt32(8 * $1) }
            }
            return SeccompInstruction(
                code: UInt16(word(0, 2)), whenTrue: bytes[start + 2], whenFalse: bytes[start + 3], operand: word(4, 4))
        }
        for (index, instruction) in code.enumerated() {
            let rest = code.count - index - 1
            switch instruction.code {
            case 0x20:
                guard instruction.operand % 4 == 0, instruction.operand < 64 else { throw .load(instruction.operand) }
            case 0x54, 0x06: break
            case 0x05: if Int(instruction.operand) >= rest { throw .jump(index) }
            case 0x15, 0x25, 0x35:
                if Int(max(instruction.whenTrue, instruction.whenFalse)) >= rest { throw .jump(index) }
            default: throw .code(instruction.code)
            }
        }
        guard code.last?.code == 0x06 else { throw .noAnswer }
    }

    /// What the filter answers.
    func answer(_ call: Call) -> UInt32 {
        var data: [UInt32] = [call.number, call.architecture, 0, 0]
        for index in 0..<6 {
            let argument = index < call.arguments.count ? call.arguments[index] : 0
            data += [UInt32(truncatingIfNeeded: argument), UInt32(truncatingIfNeeded: argument >> 32)]
        }
        var accumulator: UInt32 = 0
        var index = 0
        while true {
            let instruction = code[index]
            index += 1
            func branch(_ holds: Bool) { index += Int(holds ? instruction.whenTrue : instruction.whenFalse) }
            switch instruction.code {
            case 0x20: accumulator = data[Int(instruction.operand / 4)]
            case 0x54: accumulator &= instruction.operand
            case 0x05: index += Int(instruction.operand)
            case 0x15: branch(accumulator == instruction.operand)
            case 0x25: branch(accumulator > instruction.operand)
            case 0x35: branch(accumulator >= instruction.operand)
            default: return instruction.operand
            }
        }
    }

    func answer(_ number: UInt32, _ arguments: UInt64...) -> UInt32 {
        answer(Call(number: number, arguments: arguments))
    }

    /// A call of 32-bit x86.
    func answer32(_ number: UInt32, _ arguments: UInt64...) -> UInt32 {
        answer(Call(number: number, architecture: 0x4000_0003, arguments: arguments))
    }
}

/// `SECCOMP_RET_*` as the kernel's headers have them.
enum Answer {
    static let allow: UInt32 = 0x7fff_0000
    static let log: UInt32 = 0x7ffc_0000
    static let killProcess: UInt32 = 0x8000_0000
    static let killThread: UInt32 = 0
    static let trap: UInt32 = 0x0003_0000
    static func error(_ number: Int32) -> UInt32 { 0x0005_0000 | UInt32(number) }
    static func trace(_ message: UInt32) -> UInt32 { 0x7ff0_0000 | message }
}
