import CLinux

/// A program that the kernel asks about every use of a device in a cgroup of v2, which has no controller for it. Pure but
/// for ``load()``.
struct DeviceProgram: Hashable, Sendable {
    /// Instructions of the kernel's extended BPF machine (`struct bpf_insn`, little-endian).
    let instructions: [UInt64]

    /// A program that permits what one of the rules permits, and refuses the rest.
    init(_ rules: [DeviceRule]) {
        // r1 is the kernel's `struct bpf_cgroup_dev_ctx`: kind and access in one word, then major and minor.
        var code: [UInt64] = [
            Self.load(.kind, offset: 0), Self.copy(from: .kind, to: .access), Self.and(.kind, 0xffff),
            Self.shiftRight(.access, 16), Self.load(.major, offset: 4), Self.load(.minor, offset: 8),
        ]
        for rule in rules { code += Self.instructions(rule) }
        code += [Self.set(.result, 0), Self.exit]
        instructions = code
    }

    private static func instructions(_ rule: DeviceRule) -> [UInt64] {
        let permit = [set(.result, 1), exit]
        var code = permit
        if let minor = rule.minor { code.insert(skip(code.count, unless: .minor, is: minor), at: 0) }
        if let major = rule.major { code.insert(skip(code.count, unless: .major, is: major), at: 0) }
        if rule.access != .all {
            // Every way of access that is asked for must be in the rule.
            code =
                [
                    copy(from: .access, to: .result), and(.result, ~rule.access.rawValue),
                    skip(code.count, unless: .result, is: 0),
                ] + code
        }
        // BPF_DEVCG_DEV_BLOCK and BPF_DEVCG_DEV_CHAR.
        code.insert(skip(code.count, unless: .kind, is: rule.kind == .block ? 1 : 2), at: 0)
        return code
    }

    // MARK: Instructions

    private enum Register: UInt64 {
        case result = 0
        case context = 1
        case kind = 2
        case access = 3
        case major = 4
        case minor = 5
    }

    private static func instruction(
        _ code: UInt64, _ destination: Register, _ source: Register = .result, offset: UInt64 = 0, operand: UInt32 = 0
    ) -> UInt64 {
        code | destination.rawValue << 8 | source.rawValue << 12 | offset << 16 | UInt64(operand) << 32
    }

    private static let exit = instruction(0x95, .result)

    private static func load(_ register: Register, offset: UInt64) -> UInt64 {
        instruction(0x61, register, .context, offset: offset)
    }

    // The 32-bit forms, which clear the upper half.
    private static func copy(from source: Register, to destination: Register) -> UInt64 {
        instruction(0xbc, destination, source)
    }

    private static func set(_ register: Register, _ value: UInt32) -> UInt64 {
        instruction(0xb4, register, operand: value)
    }

    private static func and(_ register: Register, _ mask: UInt32) -> UInt64 {
        instruction(0x54, register, operand: mask)
    }

    private static func shiftRight(_ register: Register, _ bits: UInt32) -> UInt64 {
        instruction(0x74, register, operand: bits)
    }

    /// Jumps over the next instructions when the register differs, compared in 32 bits (Linux 5.1).
    private static func skip(_ count: Int, unless register: Register, is value: UInt32) -> UInt64 {
        instruction(0x56, register, offset: UInt64(count), operand: value)
    }

    // MARK: Kernel

    /// Hands the program to the kernel, which keeps it as long as the descriptor or a cgroup does.
    func load() throws(KernelError) -> OwnedDescriptor {
        OwnedDescriptor(
            owning: try kernelCall("bpf(BPF_PROG_LOAD)") {
                CLinux_bpf_load_device_program(instructions, UInt32(clamping: instructions.count))
            })
    }

    /// Whether the kernel and the rights of this process let device programs in at all.
    static let isAvailable: Bool = {
        do throws(KernelError) {
            _ = try DeviceProgram([]).load()
            return true
        } catch { return false }
    }()
}
