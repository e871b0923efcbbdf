import Testing

@testable import ContainerRuntime

@Suite struct AppArmorHostTests {
    @Test("profiles are listed with their mode; names may hold spaces and parentheses")
    func names() {
        let text = """
            /usr/bin/man (enforce)
            nvidia_modprobe//kmod (complain)
            a (b) c (kill)
            Discord (unconfined)
            broken

            """
        #expect(
            AppArmorHost.names(in: text) == ["/usr/bin/man", "nvidia_modprobe//kmod", "a (b) c", "Discord"])
        #expect(AppArmorHost.names(in: "") == [])
        #expect(AppArmorHost.names(in: "(enforce)\n") == [])
    }

    @Test("the default profile is one block of rules, each ended by a comma")
    func text() {
        let lines = AppArmorDefaultProfile.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.first?.hasPrefix("profile swiftlet-default ") == true && lines.first?.hasSuffix("{") == true)
        #expect(lines.last == "}")
        for line in lines.dropFirst().dropLast() {
            #expect(line.hasPrefix("  ") && line.hasSuffix(","), "\(line)")
            #expect(line.count { $0 == "{" } == line.count { $0 == "}" }, "\(line)")
        }
        // What the default profiles of other runtimes deny to root as well.
        for rule in [
            "deny mount", "deny /proc/kcore rwklx", "deny /proc/sysrq-trigger rwklx", "deny /sys/firmware/** rwklx",
            "deny /proc/sys/[^k]** w", "deny /sys/fs/[^c]*/** wklx", "deny /sys/kernel/security/** rwklx",
        ] {
            #expect(lines.contains { $0 == "  \(rule)," }, "\(rule)")
        }
    }
}
