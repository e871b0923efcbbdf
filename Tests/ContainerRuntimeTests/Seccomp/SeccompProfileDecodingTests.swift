import Glibc
import LinuxKernel
import Testing

@testable import ContainerRuntime

struct SeccompProfileDecodingTests {
    private static let facts = SeccompFacts(
        capabilities: CapabilitySet([.CHOWN, .SYS_CHROOT]), kernel: SeccompFacts.KernelVersion(6, 1))

    private func decode(_ text: String) throws(SeccompProfileError) -> SeccompProfile {
        try SeccompProfile(decoding: Array(text.utf8), Self.facts)
    }

    private func names(_ rule: String) throws -> [String] {
        try decode(#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [\#(rule)]}"#).rules.flatMap(\.names)
    }

    @Test("a profile with every field is understood")
    func full() throws {
        let profile = try decode(
            #"""
            {
              "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "flags": ["SECCOMP_FILTER_FLAG_TSYNC"],
              "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_S390X"],
              "syscalls": [
                {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "comment": "input and output",
                 "includes": {}, "excludes": {}, "args": null},
                {"name": "clone", "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": [
                  {"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"},
                  {"index": 5, "value": 9223372036854775807, "op": "SCMP_CMP_GT"}]},
                {"names": ["mount"], "action": "SCMP_ACT_TRACE", "errnoRet": 7},
                {"names": ["acct"], "action": "SCMP_ACT_ERRNO", "errno": "ENOSYS"}
              ]
            }
            """#)
        #expect(profile.defaultAction == .error(38))
        #expect(profile.architectures.isSubset(of: [.x86_64, .x86]))
        #expect(
            profile.rules == [
                .init(names: ["read", "write"], action: .allow),
                .init(
                    names: ["clone"], action: .error(5),
                    conditions: [
                        SeccompCondition(0, .masked(mask: 2_114_060_288, value: 0)),
                        SeccompCondition(5, .greater(9_223_372_036_854_775_807)),
                    ]),
                .init(names: ["mount"], action: .trace(7)), .init(names: ["acct"], action: .error(UInt16(ENOSYS))),
            ])
    }

    #if arch(x86_64)
    @Test("of a map of architectures the machine's own line counts")
    func architectureMap() throws {
        let map = """
            {"defaultAction": "SCMP_ACT_ALLOW", "archMap": [
              {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
              {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
              {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null}]}
            """
        #expect(try decode(map).architectures == [.x86, .x32])
    }

    @Test("a rule is kept when its includes hold and its excludes do not")
    func filters() throws {
        func kept(_ filter: String) throws -> Bool {
            try !names(#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", \#(filter)}"#).isEmpty
        }
        let expected: [(String, Bool)] = [
            (#""includes": {"caps": ["CAP_CHOWN"]}"#, true),
            (#""includes": {"caps": ["CAP_CHOWN", "CAP_SYS_CHROOT"]}"#, true),
            (#""includes": {"caps": ["CAP_CHOWN", "CAP_SYS_ADMIN"]}"#, false),
            (#""includes": {"caps": ["CAP_OF_THE_FUTURE"]}"#, false),
            (#""excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_CHOWN"]}"#, false),
            (#""excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_OF_THE_FUTURE"]}"#, true),
            (#""includes": {"arches": ["amd64", "s390x"]}"#, true), (#""includes": {"arches": ["arm64"]}"#, false),
            (#""excludes": {"arches": ["amd64"]}"#, false), (#""excludes": {"arches": ["s390"]}"#, true),
            (#""includes": {"minKernel": "4.8"}"#, true), (#""includes": {"minKernel": "6.1"}"#, true),
            (#""includes": {"minKernel": "6.2"}"#, false), (#""includes": {"minKernel": "10.0"}"#, false),
            (#""excludes": {"minKernel": "6.1"}"#, false), (#""excludes": {"minKernel": "6.2"}"#, true),
            (#""includes": {"caps": ["CAP_CHOWN"]}, "excludes": {"arches": ["amd64"]}"#, false),
        ]
        for (filter, isKept) in expected { #expect(try kept(filter) == isKept, "\(filter)") }
    }
    #endif

    @Test("a name that no architecture has is passed over: such a call cannot be made")
    func unknownName() throws {
        let profile = try decode(
            #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "call_of_the_future"],"#
                + #""action": "SCMP_ACT_ALLOW"}]}"#)
        let filter = try SeccompSimulator(try SeccompCompiler.compile(profile).bytes)
        #if arch(x86_64)
        #expect(filter.answer(0) == Answer.allow)
        #expect(filter.answer(1) == Answer.error(ENOSYS))
        #endif
    }

    private static func rule(_ text: String) -> String {
        #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}, \#(text)]}"#
    }

    private static func condition(_ text: String) -> String {
        rule(#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [\#(text)]}"#)
    }

    /// A document and what the message must hold: the place, and what is wrong there.
    private static let hostile: [(String, String, String)] = [
        ("", "", "not JSON"), ("[]", "", "not an object"), ("null", "", "not an object"),
        ("{}", "defaultAction", "missing"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW"} x"#, "", "not JSON: line 1"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "defaultAction": "SCMP_ACT_ERRNO"}"#, "", "duplicate key"),
        (#"{"defaultAction": "ALLOW"}"#, "defaultAction", "is no action"),
        (#"{"defaultAction": null}"#, "defaultAction", "missing"),
        (#"{"defaultAction": 3}"#, "defaultAction", "not a string"),
        (#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#, "defaultAction", "listener"),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}"#, "defaultErrnoRet", "0...4095"),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": -1}"#, "defaultErrnoRet", "0...4095"),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EWHAT"}"#, "defaultErrno", "EWHAT"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}"#, "defaultErrnoRet", "goes with"),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 2, "defaultErrno": "EPERM"}"#, "defaultErrno",
            "number"
        ),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "syscall": []}"#, "syscall", "unknown field"),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": {}}"#, "syscalls", "not an array"),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["x86_64"]}"#, "architectures[0]",
            "is no architecture"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": [], "archMap": []}"#, "archMap",
            "besides architectures"
        ),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "archMap": [{}]}"#, "archMap[0]", "no architecture"),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]}"#, "flags[0]",
            "not supported"
        ),
        (#"{"defaultAction": "SCMP_ACT_ERRNO", "listenerPath": "/run/x"}"#, "listenerPath", "listener"),
        (rule("7"), "syscalls[1]", "not an object"), (rule("{}"), "syscalls[1]", "names no call"),
        (rule(#"{"names": []}"#), "syscalls[1]", "names no call"),
        (rule(#"{"names": ["re ad"], "action": "SCMP_ACT_ALLOW"}"#), "syscalls[1].names", "cannot be"),
        (rule(#"{"names": ["a"], "name": "b", "action": "SCMP_ACT_ALLOW"}"#), "syscalls[1].name", "besides names"),
        (rule(#"{"names": ["a"]}"#), "syscalls[1].action", "missing"),
        (rule(#"{"names": ["a"], "action": "SCMP_ACT_DENY"}"#), "syscalls[1].action", "is no action"),
        (rule(#"{"names": ["a"], "action": "SCMP_ACT_KILL", "errnoRet": 1}"#), "syscalls[1].errnoRet", "goes with"),
        (
            rule(#"{"names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1.5}"#), "syscalls[1].errnoRet",
            "not an integer"
        ),
        (rule(#"{"names": ["a"], "action": "SCMP_ACT_ALLOW", "arg": []}"#), "syscalls[1].arg", "unknown field"),
        (
            rule(#"{"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["SYS_ADMIN"]}}"#),
            "syscalls[1].includes.caps[0]", "is no capability"
        ),
        (
            rule(#"{"names": ["a"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "new"}}"#),
            "syscalls[1].excludes.minKernel", "no kernel version"
        ),
        (
            rule(#"{"names": ["a"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernels": "4.8"}}"#),
            "syscalls[1].includes.minKernels", "unknown field"
        ),
        (condition(#"{"value": 1, "op": "SCMP_CMP_EQ"}"#), "syscalls[1].args[0].index", "missing"),
        (condition(#"{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}"#), "syscalls[1].args[0].index", "0...5"),
        (condition(#"{"index": 0, "value": 1}"#), "syscalls[1].args[0].op", "missing"),
        (condition(#"{"index": 0, "value": 1, "op": "EQ"}"#), "syscalls[1].args[0].op", "no comparison"),
        (condition(#"{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}"#), "syscalls[1].args[0].value", "not an integer"),
        (condition(#"{"index": 0, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"}"#), "", "64 bits"),
        (
            condition(#"{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}"#),
            "syscalls[1].args[0].op",
            "never matches"
        ),
        (
            condition(
                #"{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}"#),
            "syscalls[1].args[1].index", "a rule for each"
        ),
        (String(repeating: "[", count: 2000), "", "not JSON"),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": ["# + String(repeating: "0,", count: 5000) + "0]}",
            "syscalls", "5001"
        ),
    ]

    @Test("what is not understood is an error that names the place", arguments: hostile)
    func refused(document: String, field: String, words: String) throws {
        let error = #expect(throws: SeccompProfileError.self) { try decode(document) }
        #expect(error?.field == field)
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect((error?.description.utf8.count ?? 0) < 400)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("a profile cut short at any byte is an error, and one with a byte changed never a trap")
    func damaged() throws {
        let text = Self.condition(#"{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}"#)
        let bytes = Array(text.utf8)
        for length in bytes.indices {
            #expect(throws: SeccompProfileError.self) {
                try SeccompProfile(decoding: Array(bytes[..<length]), Self.facts)
            }
        }
        var understood = 0
        for index in bytes.indices {
            for byte: UInt8 in [0, UInt8(ascii: "9"), UInt8(ascii: "\""), 0xff] {
                var changed = bytes
                changed[index] = byte
                if let profile = try? SeccompProfile(decoding: changed, Self.facts) {
                    _ = try SeccompSimulator(try SeccompCompiler.compile(profile).bytes)
                    understood += 1
                }
            }
        }
        #expect(understood > 0)
    }

    @Test("kernel releases are compared by number")
    func kernels() {
        typealias Version = SeccompFacts.KernelVersion
        #expect(Version("6.1.0-18-cloud-amd64") == Version(6, 1))
        #expect(Version("6.18.44") == Version(6, 18))
        #expect(Version("4.19-rc1") == Version(4, 19))
        #expect(Version(4, 19) < Version(5, 0))
        #expect(Version(6, 2) < Version(6, 18))
        for text in ["", "6", "six.one", ".1", "6.", "99999999999999999999.1"] {
            #expect(Version(text) == nil, "\(text)")
        }
    }
}
