import ContainerRuntime
import Glibc
import LinuxKernel
import Logging
import MonitorCore
import Testing

/// The runtime on the real kernel. Needs root.
@Suite(.serialized) struct RuntimeServiceTests {
    @Test("a container runs to its end, and its output and exit code are recorded")
    func runsToEnd() async throws {
        try await RuntimeFixture.with { fixture in
            let end = try await fixture.runToEnd(fixture.config(["sh", "-c", "echo out; echo err >&2; exit 7"]))
            #expect(end.exitCode == 7)
            #expect(end.standardOutput == ["out"])
            #expect(end.standardError == ["err"])
        }
    }

    @Test("the process sees only its own pid namespace, host name, root and descriptors")
    func isolation() async throws {
        try await RuntimeFixture.with { fixture in
            let script = """
                echo "pid $$"; hostname; ls /proc | grep -c '^[0-9]'; ls /proc/self/fd | tr '\\n' ' '; echo
                grep -E '^(Cap(Inh|Prm|Eff|Bnd)|Seccomp|NoNewPrivs):' /proc/self/status
                cat /proc/self/mountinfo | awk '{print $5}' | sort | tr '\\n' ' '; echo
                touch /proc/sysrq-trigger 2>/dev/null; echo "sysrq $?"; cat /proc/kcore | wc -c; pwd
                """
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", script]) { $0.workingDirectory = "/made/for/it" })
            let output = end.standardOutput
            #expect(output.first == "pid 1")
            #expect(output.dropFirst().first == "pod-host")
            #expect(output.contains("CapInh:\t0000000000000000"))
            #expect(output.contains("CapEff:\t00000000a80425fb"))
            #expect(output.contains("CapBnd:\t00000000a80425fb"))
            #expect(output.contains("Seccomp:\t2"))
            #expect(output.contains { $0.hasPrefix("/ /dev /dev/mqueue /dev/pts /dev/shm") })
            #expect(!output.contains { $0.contains(fixture.directory) }, "a host path shows inside")
            #expect(output.contains("0"), "masked /proc/kcore must read as empty")
            #expect(output.last == "/made/for/it")
            #expect(end.exitCode == 0)
        }
    }

    @Test("user, groups and no-new-privileges are the container's, and a non-root process has no capabilities")
    func credentials() async throws {
        try await RuntimeFixture.with { fixture in
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", "id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status"]) {
                    $0.userID = 1234
                    $0.groupID = 2345
                    $0.supplementaryGroups = [2345, 4000]
                    $0.noNewPrivileges = true
                })
            #expect(end.standardOutput == ["1234", "2345", "2345 4000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"])
        }
    }

    @Test("writes stay in the container's own layer")
    func privateWrites() async throws {
        try await RuntimeFixture.with { fixture in
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", "echo x > /etc/swiftlet-test-marker && cat /etc/swiftlet-test-marker"]))
            #expect(end.standardOutput == ["x"])
            #expect(!FileSystem.exists("/etc/swiftlet-test-marker"))
        }
    }

    @Test("a read-only root refuses writes, but a volume takes them")
    func readOnlyRoot() async throws {
        try await RuntimeFixture.with { fixture in
            let volume = fixture.directory + "/volume"
            try FileSystem.makeDirectories(volume, mode: 0o755)
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", "touch /x; echo $?; touch /data/file; echo $?"]) {
                    $0.readOnlyRoot = true
                    $0.mounts = [ContainerMount(hostPath: volume, containerPath: "/data")]
                })
            #expect(end.standardOutput == ["1", "0"])
            #expect(FileSystem.exists(volume + "/file"))
        }
    }

    @Test("a program that does not exist is a launch failure that names it")
    func missingProgram() async throws {
        try await RuntimeFixture.with { fixture in
            let container = try await fixture.runtime.createContainer(fixture.config(["no-such-program"]))
            await #expect(throws: RuntimeError.self) { try await fixture.runtime.startContainer(container.id) }
            let status = try #require(await fixture.runtime.container(container.id))
            #expect(status.exitRecord?.failure != nil)
        }
    }

    @Test("a second instance of the same container is refused by the kernel")
    func atMostOne() async throws {
        try await RuntimeFixture.with { fixture in
            let config = fixture.config(["sleep", "1000"])
            let first = try await fixture.runtime.createContainer(config)
            try await fixture.runtime.startContainer(first.id)
            let error = await #expect(throws: RuntimeError.self) {
                _ = try await fixture.runtime.createContainer(config)
            }
            #expect(error?.code == .alreadyExists)
            #expect(await fixture.runtime.containers().count == 1)
        }
    }

    @Test("stop sends the signal first and kills what ignores it")
    func stop() async throws {
        try await RuntimeFixture.with { fixture in
            let polite = try await fixture.runtime.createContainer(
                fixture.config(
                    ["sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"], name: "polite"))
            try await fixture.runtime.startContainer(polite.id)
            try await LogWatch.wait(for: "ready", in: fixture.logPath("polite"))
            try await fixture.runtime.stopContainer(polite.id, gracePeriod: .seconds(20))
            #expect(await fixture.runtime.container(polite.id)?.exitRecord?.exitCode == 3)

            let deaf = try await fixture.runtime.createContainer(
                fixture.config(["sh", "-c", "trap '' TERM; sleep 1000 & wait"], name: "deaf"))
            try await fixture.runtime.startContainer(deaf.id)
            try await fixture.runtime.stopContainer(deaf.id, gracePeriod: .milliseconds(100))
            #expect(await fixture.runtime.container(deaf.id)?.exitRecord?.reportedExitCode == 137)
        }
    }

    @Test("a memory hog ends as out of memory with 137, even when the kernel picked only a child")
    func outOfMemory() async throws {
        try await RuntimeFixture.with { fixture in
            for (name, script) in [("hog", "exec tail /dev/zero"), ("child", "tail /dev/zero; sleep 1000")] {
                let end = try await fixture.runToEnd(
                    fixture.config(["sh", "-c", script], name: name) {
                        $0.resources = CgroupResources(memoryLimitBytes: 16 << 20, oomGroup: true)
                    })
                #expect(end.exitCode == 137)
                #expect(end.outOfMemory)
            }
        }
    }

    @Test("an exec has the credentials, namespaces and cgroup of its container, and its own output and exit code")
    func execute() async throws {
        try await RuntimeFixture.with { fixture in
            let container = try await fixture.runtime.createContainer(
                fixture.config(["sleep", "1000"]) {
                    $0.userID = 1234
                    $0.environment.append("FLAVOUR=vanilla")
                })
            try await fixture.runtime.startContainer(container.id)
            let result = try await fixture.runtime.executeSync(
                [
                    "sh", "-c",
                    "id -u; hostname; echo $FLAVOUR; readlink /proc/self/ns/pid; readlink /proc/1/ns/pid; exit 5",
                ],
                in: container.id)
            let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(result.exitCode == 5)
            #expect(lines.prefix(3) == ["1234", "pod-host", "vanilla"])
            #expect(lines.count == 5 && lines[3] == lines[4])
            await #expect(throws: RuntimeError.self) {
                _ = try await fixture.runtime.executeSync(["no-such-program"], in: container.id)
            }
        }
    }

    @Test("an exec is killed at its timeout, and ends with its container")
    func endOfExecutions() async throws {
        try await RuntimeFixture.with { fixture in
            let container = try await fixture.runtime.createContainer(fixture.config(["sleep", "1000"]))
            try await fixture.runtime.startContainer(container.id)
            var thrown: RuntimeError.Code?
            do throws(RuntimeError) {
                let timeout = Duration.milliseconds(50)
                _ = try await fixture.runtime.executeSync(["sleep", "1001"], in: container.id, timeout: timeout)
            } catch { thrown = error.code }
            #expect(thrown == .deadlineExceeded)
            let runtime = fixture.runtime
            async let end = { () async -> String in
                do throws(RuntimeError) {
                    return "\(try await runtime.executeSync(["sleep", "1002"], in: container.id).exitCode)"
                } catch { return error.code.rawValue }
            }()
            try await fixture.runtime.stopContainer(container.id, gracePeriod: .zero)
            // Killed like the rest of the container, gone with it before or after it began: it never hangs.
            let ends = ["137"] + [RuntimeError.Code.invalidState, .launchFailed, .monitorLost].map(\.rawValue)
            #expect(ends.contains(await end))
        }
    }

    @Test("a second runtime adopts what runs, with the same process, and learns the exit code of what ended meanwhile")
    func adoption() async throws {
        try await RuntimeFixture.with { fixture in
            let container = try await fixture.runtime.createContainer(
                fixture.config(["sh", "-c", "while [ ! -e /data/end ]; do sleep 0.02; done; exit 9"]) {
                    $0.mounts = [ContainerMount(hostPath: fixture.directory, containerPath: "/data")]
                })
            try await fixture.runtime.startContainer(container.id)
            let before = try #require(await fixture.runtime.container(container.id))
            let second = try RuntimeService(
                configuration: fixture.runtimeConfiguration, logger: Logger(label: "second"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await second.run() }
                try await second.start()
                let adopted = try #require(await second.container(container.id))
                #expect(adopted.state == before.state)
                #expect(adopted.config.arguments == before.config.arguments)
                #expect(await second.sandboxes() == [fixture.sandbox])
                try FileSystem.writeAtomically(fixture.directory + "/end", [], durable: false)
                #expect(await second.waitForExit(of: container.id)?.exitCode == 9)
                group.cancelAll()
            }
            #expect(await fixture.runtime.waitForExit(of: container.id)?.exitCode == 9)
        }
    }

    @Test("the death of a monitor ends its container with 137")
    func monitorKilled() async throws {
        try await RuntimeFixture.with { fixture in
            let container = try await fixture.runtime.createContainer(fixture.config(["sleep", "1000"]))
            try await fixture.runtime.startContainer(container.id)
            guard case .running(let process, _)? = await fixture.runtime.container(container.id)?.state else {
                Issue.record("not running")
                return
            }
            let monitor = try ProcFS.status(of: process.pid).parent
            #expect(kill(monitor, SIGKILL) == 0)
            let record = try #require(await fixture.runtime.waitForExit(of: container.id))
            #expect(record.reportedExitCode == 137)
            let state = (try? ProcFS.status(of: process.pid))?.state
            #expect(state == nil || state == "Z", "the container outlived its monitor")
        }
    }

    @Test("the pids limit refuses forks beyond it")
    func pidsLimit() async throws {
        try await RuntimeFixture.with { fixture in
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo done"]) {
                    $0.resources = CgroupResources(pidsLimit: 4)
                })
            #expect(end.standardError.contains { $0.contains("Cannot fork") || $0.contains("Resource temporarily") })
        }
    }

    @Test("the default filter refuses new namespaces, kernel keyrings and AF_ALG sockets")
    func seccomp() async throws {
        try await RuntimeFixture.with { fixture in
            let script = """
                use POSIX; for my $c (["unshare", 272, 0x10000000], ["keyctl", 250, 0], ["socket", 41, 38, 5], ["bpf", 321, 0]) {
                my ($n, @a) = @$c; my $r = syscall($a[0], $a[1] // 0, $a[2] // 0, 0); print "$n ", ($r == -1 ? $!+0 : "ok"), "\\n"; }
                """
            let end = try await fixture.runToEnd(fixture.config(["perl", "-e", script]))
            #expect(end.standardOutput == ["unshare 1", "keyctl 1", "socket 97", "bpf 1"])
        }
    }
}
