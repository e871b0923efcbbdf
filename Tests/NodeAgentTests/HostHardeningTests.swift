import Testing

@testable import NodeAgent

@Suite struct HostHardeningTests {
    private func good() -> HostHardening {
        var host = HostHardening()
        host.securityModules = ["capability", "landlock", "apparmor"]
        host.hasSeccomp = true
        host.maximumUserNamespaces = 1000
        host.kernel = [6, 1]
        host.openFiles = 1_048_576
        host.sysctls = [
            "kernel.unprivileged_bpf_disabled": 2, "kernel.dmesg_restrict": 1, "kernel.kptr_restrict": 1,
            "kernel.pid_max": 4_194_304, "kernel.threads-max": 100_000, "vm.panic_on_oom": 0,
            "fs.inotify.max_user_instances": 8192, "fs.inotify.max_user_watches": 1_048_576,
            "fs.protected_symlinks": 1, "fs.protected_hardlinks": 1, "fs.suid_dumpable": 0,
        ]
        return host
    }

    @Test("a hardened host has nothing to mend and all points")
    func all() {
        let findings = good().findings
        #expect(findings.allSatisfy { $0.severity == .ok && $0.fix.isEmpty })
        #expect(findings.count == 17)
        #expect(HostScore(findings) == HostScore([HostFinding(.ok, "", "")]))
    }

    @Test("each weakness is a finding with a fix")
    func weaknesses() {
        let changes: [(String, (inout HostHardening) -> Void)] = [
            ("seccomp", { $0.hasSeccomp = false }),
            ("security modules", { $0.securityModules = ["capability", "yama"] }),
            ("security modules", { $0.securityModules = nil }), ("user namespaces", { $0.maximumUserNamespaces = 0 }),
            ("user namespaces", { $0.kernel = [5, 15] }), ("CPU mitigations", { $0.openVulnerabilities = ["mds"] }),
            ("CPU mitigations", { $0.commandLine = "quiet mitigations=off" }), ("swap", { $0.swapBytes = 1 << 30 }),
            ("open files", { $0.openFiles = 1024 }), ("vm.panic_on_oom", { $0.sysctls["vm.panic_on_oom"] = 1 }),
            ("fs.inotify.max_user_instances", { $0.sysctls["fs.inotify.max_user_instances"] = 128 }),
        ]
        for (subject, change) in changes {
            var host = good()
            change(&host)
            let wrong = host.findings.filter { $0.severity != .ok }
            #expect(wrong.map(\.subject) == [subject])
            #expect(wrong.allSatisfy { !$0.fix.isEmpty })
            #expect(HostScore(host.findings).points < 100)
        }
    }

    @Test("a setting that this kernel does not have is no finding")
    func absent() {
        var host = good()
        host.sysctls = [:]
        #expect(host.findings.count == 6)
    }

    @Test("what failed counts nothing, what is doubtful half, by weight")
    func score() {
        let score = HostScore([
            HostFinding(.ok, "a", "", weight: 2), HostFinding(.warning, "b", "", fix: "x", weight: 4),
            HostFinding(.failure, "c", "", fix: "x", weight: 4),
        ])
        #expect(score.points == 40 && score.failures == 1 && score.warnings == 1)
        #expect(HostScore([]).points == 100)
    }

    @Test("the running kernel can be asked")
    func host() {
        #expect(HostHardening.read().kernel.count == 2)
    }
}
