import Testing

@testable import LinuxKernel

struct DeviceProgramTests {
    /// A use of a device, as the kernel hands it to a program.
    struct Use {
        /// 1: a block device, 2: a character device.
        var kind: UInt32
        var major: UInt32
        var minor: UInt32
        /// 1: make the node, 2: read, 4: write; any of them together.
        var access: UInt32
    }

    /// Just enough of the kernel's machine; nil for what its verifier would not let in.
    private func isPermitted(_ program: DeviceProgram, _ use: Use) -> Bool? {
        let context = [use.access << 16 | use.kind, use.major, use.minor]
        var registers = [UInt64?](repeating: nil, count: 11)
        var index = 0
        while program.instructions.indices.contains(index) {
            let instruction = program.instructions[index]
            index += 1
            let destination = Int(instruction >> 8 & 0xf)
            let source = Int(instruction >> 12 & 0xf)
            let offset = Int(Int16(truncatingIfNeeded: instruction >> 16))
            let operand = UInt32(truncatingIfNeeded: instruction >> 32)
            switch instruction & 0xff {
            case 0x61:
                guard source == 1, [0, 4, 8].contains(offset) else { return nil }
                registers[destination] = UInt64(context[offset / 4])
            case 0xbc:
                guard let value = registers[source] else { return nil }
                registers[destination] = value & 0xffff_ffff
            case 0xb4: registers[destination] = UInt64(operand)
            case 0x54:
                guard let value = registers[destination] else { return nil }
                registers[destination] = value & UInt64(operand)
            case 0x74:
                guard let value = registers[destination] else { return nil }
                registers[destination] = (value & 0xffff_ffff) >> UInt64(operand)
            case 0x56:
                guard offset >= 0, let value = registers[destination] else { return nil }
                if UInt32(truncatingIfNeeded: value) != operand { index += offset }
            case 0x95: return registers[0].map { $0 != 0 }
            default: return nil
            }
        }
        return nil
    }

    @Test("without a rule nothing is permitted")
    func empty() {
        let program = DeviceProgram([])
        for access: UInt32 in 1...7 {
            #expect(isPermitted(program, Use(kind: 2, major: 1, minor: 3, access: access)) == false)
        }
    }

    @Test("a rule permits its kind, its numbers and its access, and no more")
    func exact() {
        let program = DeviceProgram([
            DeviceRule(.block, major: 8, minor: 0xf_ffff, access: .read),
            DeviceRule(.character, major: 0xfff, access: [.read, .write]), DeviceRule(.character, access: .makeNode),
        ])
        let expected: [(Use, Bool)] = [
            (Use(kind: 1, major: 8, minor: 0xf_ffff, access: 2), true),
            (Use(kind: 1, major: 8, minor: 0xf_ffff, access: 4), false),
            (Use(kind: 1, major: 8, minor: 0xf_ffff, access: 6), false),
            (Use(kind: 1, major: 8, minor: 0, access: 2), false),
            (Use(kind: 2, major: 8, minor: 0xf_ffff, access: 2), false),
            (Use(kind: 2, major: 0xfff, minor: 77, access: 6), true),
            (Use(kind: 2, major: 0xfff, minor: 77, access: 7), false),
            (Use(kind: 2, major: 0xffe, minor: 77, access: 6), false),
            (Use(kind: 2, major: 3, minor: 4, access: 1), true), (Use(kind: 1, major: 3, minor: 4, access: 1), false),
        ]
        for (use, isPermitted) in expected { #expect(self.isPermitted(program, use) == isPermitted, "\(use)") }
    }

    @Test("a container uses the standard devices, makes any node, and opens no other")
    func containerDefault() {
        let program = DeviceProgram(DeviceRule.containerDefault)
        let standard: [(UInt32, UInt32)] = [
            (1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2), (10, 200), (136, 0), (136, 250),
        ]
        for (major, minor) in standard {
            #expect(
                isPermitted(program, Use(kind: 2, major: major, minor: minor, access: 7)) == true, "\(major):\(minor)")
        }
        // mem, kmem, port, kmsg, the host's console and terminals, fuse, kvm, loop-control
        let others: [(UInt32, UInt32)] = [
            (1, 1), (1, 2), (1, 4), (1, 11), (5, 1), (4, 1), (4, 64), (10, 229), (10, 232), (10, 237), (137, 0),
        ]
        for access: UInt32 in 2...7 {
            for (major, minor) in others {
                let use = Use(kind: 2, major: major, minor: minor, access: access)
                #expect(isPermitted(program, use) == false, "\(major):\(minor) \(access)")
            }
            for major: UInt32 in [1, 7, 8, 253, 254, 259] {
                #expect(isPermitted(program, Use(kind: 1, major: major, minor: 0, access: access)) == false)
            }
        }
        for kind: UInt32 in 1...2 {
            #expect(isPermitted(program, Use(kind: kind, major: 8, minor: 0, access: 1)) == true)
        }
    }

    @Test("the v1 controller gets the same in its words")
    func lines() {
        #expect(
            DeviceRule.containerDefault.map(\.line) == [
                "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm",
                "c 136:* rwm", "c 10:200 rwm", "c *:* m", "b *:* m",
            ])
    }
}
