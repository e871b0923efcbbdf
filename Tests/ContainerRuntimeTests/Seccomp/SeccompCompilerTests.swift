import CLinux
import CSeccomp
import Glibc
import LinuxKernel
import Testing

@testable import ContainerRuntime

#if arch(x86_64)
/// Numbers are those of the kernel's own tables, not of ours.
struct SeccompCompilerTests {
    private typealias Rule = SeccompProfile.Rule

    private func filter(
        _ defaultAction: SeccompAction = .error(1), _ rules: [SeccompProfile.Rule],
        _ architectures: Set<SeccompArchitecture> = [.x86]
    ) throws -> SeccompSimulator {
        let profile = SeccompProfile(defaultAction: defaultAction, architectures: architectures, rules: rules)
        return try SeccompSimulator(try SeccompCompiler.compile(profile).bytes)
    }

    @Test("a named call gets its action, by its number in each architecture, and others the default")
    func named() throws {
        let filter = try filter(.error(13), [Rule(names: ["write", "open_by_handle_at"], action: .allow)])
        #expect(filter.answer(1) == Answer.allow, "write is 1")
        #expect(filter.answer(304) == Answer.allow)
        #expect(filter.answer32(4) == Answer.allow, "and 4 in 32 bits")
        for number: UInt32 in [0, 2, 100, 303] { #expect(filter.answer(number) == Answer.error(13)) }
        for number: UInt32 in [0, 1, 3, 5] { #expect(filter.answer32(number) == Answer.error(13)) }
    }

    @Test("calls newer than the newest in the profile fail with ENOSYS, unless the default lets calls through")
    func newer() throws {
        let strict = try filter(.error(1), [Rule(names: ["fchmodat2", "read"], action: .allow)])
        #expect(strict.answer(452) == Answer.allow)
        #expect(strict.answer(451) == Answer.error(1))
        #expect(strict.answer(453) == Answer.error(ENOSYS))
        #expect(strict.answer32(452) == Answer.allow)
        #expect(strict.answer32(4000) == Answer.error(ENOSYS))
        let loose = try filter(.allow, [Rule(names: ["read"], action: .error(1))])
        #expect(loose.answer(4000) == Answer.allow)
        let killing = try filter(.killProcess, [Rule(names: ["read"], action: .allow)])
        #expect(killing.answer(4000) == Answer.error(ENOSYS))
        #expect(try filter(.error(1), []).answer(4000) == Answer.error(1))
    }

    @Test("calls of another convention never get past the rules", arguments: [SeccompAction.allow, .error(1)])
    func otherConventions(defaultAction: SeccompAction) throws {
        let rules = [Rule(names: ["mount"], action: .error(1)), Rule(names: ["read"], action: .allow)]
        let narrow = try filter(defaultAction, rules, [])
        for architecture: UInt32 in [0x4000_0003, 0xC000_00B7, 0, .max] {
            let call = SeccompSimulator.Call(number: 3, architecture: architecture)
            #expect(narrow.answer(call) == Answer.killProcess)
        }
        for number: UInt32 in [0x4000_0000, 0x4000_00A5, 0x4000_0200, .max] {
            #expect(narrow.answer(number) == Answer.error(ENOSYS), "x32 was not asked for")
        }
        let wide = try filter(defaultAction, rules, [.x32, .x86])
        #expect(wide.answer(0x4000_00A5) == Answer.error(1), "mount of x32")
        #expect(wide.answer(0x4000_0000) == Answer.allow, "read of x32")
        #expect(wide.answer32(21) == Answer.error(1), "mount of x86")
    }

    @Test("of the rules that match the strictest decides, in whatever order they are")
    func strictest() throws {
        let on3 = [SeccompCondition(0, .equal(3))]
        let rules = [
            Rule(names: ["read"], action: .allow), Rule(names: ["read"], action: .error(7), conditions: on3),
            Rule(names: ["read"], action: .killProcess, conditions: [SeccompCondition(1, .equal(9))]),
        ]
        for order in [rules, rules.reversed(), [rules[1], rules[2], rules[0]]] {
            let filter = try filter(.error(1), order)
            #expect(filter.answer(0, 1) == Answer.allow)
            #expect(filter.answer(0, 3) == Answer.error(7))
            #expect(filter.answer(0, 3, 9) == Answer.killProcess)
        }
        // A refusal with conditions beside a general permission is no repetition of the default.
        let filter = try filter(.error(1), [rules[0], Rule(names: ["read"], action: .error(1), conditions: on3)])
        #expect(filter.answer(0, 3) == Answer.error(1))
        #expect(filter.answer(0, 4) == Answer.allow)
    }

    private static let values: [UInt64] = [
        0, 1, 37, 38, 39, 0x7fff_ffff, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0026, 0x7fff_ffff_ffff_ffff,
        0xffff_ffff_0000_0000, .max,
    ]

    private static let comparisons: [(SeccompCondition.Comparison, @Sendable (UInt64) -> Bool)] = values.flatMap {
        value -> [(SeccompCondition.Comparison, @Sendable (UInt64) -> Bool)] in
        [
            (.equal(value), { $0 == value }), (.notEqual(value), { $0 != value }), (.less(value), { $0 < value }),
            (.lessOrEqual(value), { $0 <= value }), (.greater(value), { $0 > value }),
            (.greaterOrEqual(value), { $0 >= value }),
            (.masked(mask: value, value: value & 0x26), { $0 & value == value & 0x26 }),
            (.masked(mask: 0xf0f0_0000_00ff, value: 0x26), { $0 & 0xf0f0_0000_00ff == 0x26 }),
        ]
    }

    @Test("a comparison sees all 64 bits, of every argument")
    func comparisons() throws {
        for (index, (comparison, holds)) in Self.comparisons.enumerated() {
            let argument = UInt32(index % 6)
            let rule = Rule(names: ["read"], action: .allow, conditions: [SeccompCondition(argument, comparison)])
            let filter = try filter(.error(1), [rule])
            for value in Self.values {
                var arguments = [UInt64](repeating: 0x5a5a_5a5a_5a5a_5a5a, count: 6)
                arguments[Int(argument)] = value
                let answer = filter.answer(SeccompSimulator.Call(number: 0, arguments: arguments))
                #expect(answer == (holds(value) ? Answer.allow : Answer.error(1)), "\(comparison) of \(value)")
            }
        }
    }

    @Test("a comparison of an int is not fooled by what is in the high half")
    func integers() throws {
        for (comparison, holds) in Self.comparisons {
            // Such values are never in an int.
            switch comparison {
            case .equal(let value), .notEqual(let value): if value > 0xffff_ffff { continue }
            case .masked(let mask, _): if mask > 0xffff_ffff { continue }
            case .less, .lessOrEqual, .greater, .greaterOrEqual: break
            }
            let condition = SeccompCondition(0, comparison, isInt: true)
            let filter = try filter(.error(1), [Rule(names: ["read"], action: .allow, conditions: [condition])])
            for value in Self.values {
                let expected = holds(value & 0xffff_ffff) ? Answer.allow : Answer.error(1)
                #expect(filter.answer(0, value) == expected, "\(comparison) of \(value)")
            }
        }
    }

    @Test("conditions of one rule hold together")
    func conjunction() throws {
        let conditions = (0..<6).map { SeccompCondition($0, .greaterOrEqual(0x1_0000_0000 + UInt64($0))) }
        let filter = try filter(.error(1), [Rule(names: ["read"], action: .allow, conditions: conditions)])
        let fitting = (0..<6).map { UInt64(0x1_0000_0005 + $0) }
        #expect(filter.answer(SeccompSimulator.Call(number: 0, arguments: fitting)) == Answer.allow)
        for index in 0..<6 {
            var arguments = fitting
            arguments[index] = UInt64(0xffff_ffff)
            #expect(filter.answer(SeccompSimulator.Call(number: 0, arguments: arguments)) == Answer.error(1))
        }
    }

    @Test("a rule on a call holds behind the call that hides it in 32 bits")
    func multiplexed() throws {
        let denying = try filter(.allow, [Rule(names: ["socket", "shmget"], action: .error(1))])
        #expect(denying.answer32(359) == Answer.error(1))
        #expect(denying.answer32(102, 1) == Answer.error(1), "socketcall(SYS_SOCKET)")
        #expect(denying.answer32(102, 2) == Answer.allow, "socketcall(SYS_BIND)")
        #expect(denying.answer32(117, 23) == Answer.error(1), "ipc(SHMGET)")
        #expect(denying.answer32(117, 1 << 16 | 23) == Answer.error(1), "ipc(SHMGET), version 1")
        #expect(denying.answer32(117, 13) == Answer.allow, "ipc(MSGGET)")
        let onFamily = [SeccompCondition(0, .equal(38))]
        let partly = try filter(.allow, [Rule(names: ["socket"], action: .error(1), conditions: onFamily)])
        #expect(partly.answer32(359, 2) == Answer.allow)
        #expect(partly.answer32(102, 1) == Answer.error(1), "the family cannot be seen there")
        let permitting = try filter(.error(1), [Rule(names: ["socket"], action: .allow, conditions: onFamily)])
        #expect(permitting.answer32(359, 38) == Answer.allow)
        #expect(permitting.answer32(102, 1) == Answer.error(1), "a permission with conditions is none there")
        let whole = try filter(.error(1), [Rule(names: ["socket", "bind"], action: .allow)])
        #expect(whole.answer32(102, 1) == Answer.allow)
        #expect(whole.answer32(102, 3) == Answer.error(1))
    }

    @Test("each action is the kernel's")
    func actions() throws {
        let expected: [(SeccompAction, UInt32)] = [
            (.allow, Answer.allow), (.log, Answer.log), (.trace(7), Answer.trace(7)), (.error(0), Answer.error(0)),
            (.trap, Answer.trap), (.killThread, Answer.killThread), (.killProcess, Answer.killProcess),
        ]
        for (action, answer) in expected {
            #expect(try filter(.error(99), [Rule(names: ["read"], action: action)]).answer(0) == answer)
        }
        #expect(expected.map(\.0.strictness) == expected.map(\.0.strictness).sorted(by: >), "the kernel's own order")
    }

    @Test("libseccomp answers every call of a list of names in the same way")
    func oracle() throws {
        let names = SeccompSyscalls.always
        let context = try #require(seccomp_init(0x0005_0001))
        defer { seccomp_release(context) }
        #expect(seccomp_arch_add(context, 0x4000_0003) == 0)
        for name in names {
            let number = seccomp_syscall_resolve_name(name)
            if number != -1 { _ = seccomp_rule_add_array(context, 0x7fff_0000, number, 0, nil) }
        }
        let memory = OwnedDescriptor(owning: CLinux_memfd_create("filter", 0))
        #expect(seccomp_export_bpf(context, memory.raw) == 0)
        #expect(lseek(memory.raw, 0, SEEK_SET) == 0)
        let theirs = try SeccompSimulator(try memory.readAll())
        let ours = try filter(.error(1), [Rule(names: names, action: .allow)])
        for number: UInt32 in 0..<450 {
            #expect(ours.answer(number) == theirs.answer(number), "\(number)")
            // It has no numbers for what hides behind socketcall and ipc, and only some arguments of these.
            for selector: UInt64 in 0...24 {
                #expect(ours.answer32(number, selector) == theirs.answer32(number, selector), "\(number)(\(selector))")
            }
        }
    }

    @Test("a filter longer than the kernel takes is refused")
    func tooLong() {
        let conditions = (0..<6).map { SeccompCondition($0, .masked(mask: .max, value: 1)) }
        let rules = (0..<150).map { index in
            Rule(names: ["read"], action: .error(UInt16(index)), conditions: conditions)
        }
        let error = #expect(throws: SeccompProfileError.self) { try filter(.allow, rules) }
        #expect(error?.description.contains("the kernel takes 4096") == true)
    }
}
#endif
