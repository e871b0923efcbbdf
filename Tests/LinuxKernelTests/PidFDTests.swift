import Glibc
import LinuxKernel
import SystemPackage
import Testing

@Suite struct PidFDTests {
    @Test("a child is signalled, awaited and reaped with its real end")
    func signalAndReap() throws {
        let process = try SpawnedProcess(["/bin/sleep", "1000"])
        #expect(try process.handle.reapIfEnded() == nil)
        #expect(try !process.handle.waitForEnd(timeout: .zero))
        #expect(try process.handle.send(SIGTERM))
        #expect(try process.handle.waitForEnd(timeout: .seconds(30)))
        #expect(try process.handle.reap() == .signal(SIGTERM, coreDumped: false))
        #expect(try !process.handle.send(SIGTERM), "a reaped process takes no signal")
    }

    @Test("an exit code arrives as it is")
    func exitCode() throws {
        #expect(try SpawnedProcess(shell: "exit 42").handle.reap() == .code(42))
    }

    @Test("a process is opened by number and start time, and not with another start time")
    func identity() throws {
        let process = try SpawnedProcess(["/bin/sleep", "1000"])
        let identity = try ProcessIdentity.current(of: process.pid)
        #expect(try PidFD.open(identity).pid == process.pid)
        let stale = ProcessIdentity(pid: identity.pid, startTime: identity.startTime &- 1)
        do throws(KernelError) {
            _ = try PidFD.open(stale)
            Issue.record("the number alone was enough")
        } catch {
            #expect(error.errno == .noSuchProcess)
        }
    }

    @Test("a process that is gone is ESRCH")
    func gone() throws {
        let identity: ProcessIdentity
        do {
            let process = try SpawnedProcess(["/bin/sleep", "1000"])
            identity = try ProcessIdentity.current(of: process.pid)
        }
        do throws(KernelError) {
            _ = try PidFD.open(identity)
            Issue.record("a process that is gone was opened")
        } catch {
            #expect(error.errno == .noSuchProcess)
        }
    }
}
