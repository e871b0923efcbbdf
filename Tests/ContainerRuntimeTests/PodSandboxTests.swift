import ContainerRuntime
import Glibc
import LinuxKernel
import Logging
import MonitorCore
import Testing

/// What the containers of one sandbox share, on the real kernel. Needs root.
@Suite(.serialized) struct PodSandboxTests {
    private static func lines(_ result: ExecutionResult) -> [String] {
        String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func identity(_ instance: ContainerInstance?) throws -> ProcessIdentity {
        guard case .running(let identity, _)? = instance?.state else { throw NotRunning() }
        return identity
    }

    private struct NotRunning: Error {}

    /// The process that holds the shared namespace, found as anybody on the host would: the first one in it.
    private static func holder(of process: ProcessIdentity) throws -> pid_t {
        let namespace = FileSystem.linkTarget("/proc/\(process.pid)/ns/pid")
        for name in try FileSystem.list("/proc") {
            guard let pid = pid_t(name), FileSystem.linkTarget("/proc/\(pid)/ns/pid") == namespace,
                let status = try? FileSystem.readText("/proc/\(pid)/status"),
                let numbers = status.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") }),
                numbers.split(separator: "\t").last == "1"
            else { continue }
            return pid
        }
        throw NotRunning()
    }

    @Test("containers that share their processes see each other's, below one that is nobody's and reaps")
    func sharedProcesses() async throws {
        try await RuntimeFixture.with(sandbox: { $0.processNamespace = .pod }) { fixture in
            #expect(await fixture.runtime.readySandbox(ofPod: "test") == fixture.sandbox)
            #expect(await fixture.runtime.containers().isEmpty, "the sandbox's process is no container of the pod's")
            let first = try await fixture.runtime.createContainer(fixture.config(["sleep", "1234"], name: "first"))
            try await fixture.runtime.startContainer(first.id)
            let second = try await fixture.runtime.createContainer(fixture.config(["sleep", "2345"], name: "second"))
            try await fixture.runtime.startContainer(second.id)
            let script = """
                tr '\\0' ' ' < /proc/1/cmdline; echo; for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done |
                grep -E 'sleep (1234|2345)' | sort; grep -E '^(Uid|CapPrm|CapBnd|NoNewPrivs|Seccomp):' /proc/1/status
                ls /proc/1/root 2>&1 | grep -c denied; kill -9 1; kill -TERM 1
                """
            let result = Self.lines(try await fixture.runtime.executeSync(["sh", "-c", script], in: second.id))
            #expect(
                result == [
                    "/pause ", "sleep 1234 ", "sleep 2345 ", "Uid:\t65535\t65535\t65535\t65535",
                    "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "1",
                ])
            // Left behind by its parent: somebody else has to collect it.
            let orphan = """
                pid=$( (sh -c 'echo $$; exec sleep 0.05 >/dev/null' &) )
                for i in $(seq 500); do [ -e /proc/$pid ] || break; sleep 0.01; done; [ -e /proc/$pid ] || echo reaped
                """
            let reaped = try await fixture.runtime.executeSync(["sh", "-c", orphan], in: first.id)
            #expect(Self.lines(reaped) == ["reaped"])
            // No signal from inside ends it.
            #expect(await fixture.runtime.readySandbox(ofPod: "test") == fixture.sandbox)
        }
    }

    @Test("the end of the shared namespace ends its containers, and the sandbox is none any more")
    func lostNamespace() async throws {
        try await RuntimeFixture.with(sandbox: { $0.processNamespace = .pod }) { fixture in
            let container = try await fixture.runtime.createContainer(fixture.config(["sleep", "1000"]))
            try await fixture.runtime.startContainer(container.id)
            let identity = try Self.identity(await fixture.runtime.container(container.id))
            #expect(kill(try Self.holder(of: identity), SIGKILL) == 0)
            #expect(await fixture.runtime.waitForExit(of: container.id)?.reportedExitCode == 137)
            for await event in fixture.runtime.events where event.metadata.name.isEmpty && event.kind == .exited {
                break
            }
            #expect(await fixture.runtime.readySandbox(ofPod: "test") == nil)
            let error = await #expect(throws: RuntimeError.self) {
                _ = try await fixture.runtime.createContainer(fixture.config(["true"], attempt: 1))
            }
            #expect(error?.code == .invalidState)
        }
    }

    @Test("a second runtime adopts a shared namespace with its process")
    func adoption() async throws {
        try await RuntimeFixture.with(sandbox: { $0.processNamespace = .pod }) { fixture in
            let second = try RuntimeService(
                configuration: fixture.runtimeConfiguration, logger: Logger(label: "second"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await second.run() }
                try await second.start()
                #expect(await second.readySandbox(ofPod: "test") == fixture.sandbox)
                #expect(await second.containers().isEmpty)
                let container = try await second.createContainer(fixture.config(["sleep", "1000"]))
                try await second.startContainer(container.id)
                let result = try await second.executeSync(["cat", "/proc/1/comm"], in: container.id)
                #expect(Self.lines(result) == ["pause"])
                try await second.stopContainer(container.id, gracePeriod: .zero)
                try await second.removeContainer(container.id)
                group.cancelAll()
            }
        }
    }

    @Test("with the host's processes a container sees them, and what it leaves behind ends with it")
    func hostProcesses() async throws {
        try await RuntimeFixture.with(sandbox: { $0.processNamespace = .host }) { fixture in
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", "setsid sleep 4321 & readlink /proc/self/ns/pid; echo $!"]))
            #expect(end.standardOutput.first == FileSystem.linkTarget("/proc/self/ns/pid"))
            let pid = try #require(pid_t(end.standardOutput.last ?? ""))
            let state = (try? ProcFS.status(of: pid))?.state
            #expect(state == nil || state == "Z", "a process outlived its container")
        }
    }

    @Test("with the host's IPC a container has the host's, and its /dev/shm")
    func hostIPC() async throws {
        try await RuntimeFixture.with(sandbox: { $0.hostIPC = true }) { fixture in
            let end = try await fixture.runToEnd(
                fixture.config(["sh", "-c", "readlink /proc/self/ns/ipc; stat -c %d:%i /dev/shm"]))
            var status = stat()
            try #require(stat("/dev/shm", &status) == 0)
            #expect(
                end.standardOutput == [
                    FileSystem.linkTarget("/proc/self/ns/ipc") ?? "", "\(status.st_dev):\(status.st_ino)",
                ])
        }
        var status = stat()
        #expect(stat("/dev/shm", &status) == 0 && status.st_mode & 0o1777 == 0o1777, "the host's is still there")
    }

    @Test("kernel parameters are set in the sandbox's namespaces alone, once")
    func sysctls() async throws {
        let host = try FileSystem.readText("/proc/sys/net/core/somaxconn")
        let sysctls = ["net.core.somaxconn": "77", "kernel.shm_rmid_forced": "1"]
        try await RuntimeFixture.with(sandbox: { $0.sysctls = sysctls }) { fixture in
            try await fixture.runtime.applySysctls(ofSandbox: fixture.sandbox.id)
            let script =
                "cd /proc/sys; cat net/core/somaxconn kernel/shm_rmid_forced net/ipv4/ip_unprivileged_port_start"
            let end = try await fixture.runToEnd(fixture.config(["sh", "-c", script]))
            #expect(end.standardOutput == ["77", "1", "0"])
            let changed = try await fixture.runtime.createContainer(
                fixture.config(["sh", "-c", "echo 78 > /proc/sys/net/core/somaxconn"], name: "privileged") {
                    $0.privileged = true
                })
            try await fixture.runtime.startContainer(changed.id)
            _ = await fixture.runtime.waitForExit(of: changed.id)
            try await fixture.runtime.applySysctls(ofSandbox: fixture.sandbox.id)
            let again = try await fixture.runToEnd(
                fixture.config(["cat", "/proc/sys/net/core/somaxconn"], name: "again"))
            #expect(again.standardOutput == ["78"], "what a container of the pod set stays")
        }
        #expect(try FileSystem.readText("/proc/sys/net/core/somaxconn") == host)
    }

    @Test("a value that the kernel does not take is an error that names the parameter")
    func invalidSysctl() async throws {
        try await RuntimeFixture.with(sandbox: { $0.sysctls = ["net.core.somaxconn": "many"] }) { fixture in
            let error = await #expect(throws: RuntimeError.self) {
                try await fixture.runtime.applySysctls(ofSandbox: fixture.sandbox.id)
            }
            #expect(error?.message.contains("net.core.somaxconn") == true)
        }
    }
}
