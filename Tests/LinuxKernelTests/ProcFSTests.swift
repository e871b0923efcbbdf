import Glibc
import LinuxKernel
import Testing

@Suite struct ProcFSTests {
    private static let tail = "S 7 100 100 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 2\n"

    @Test(
        "a command with spaces and parentheses does not shift the fields", arguments: ["sleep", "a b", "x) R 1 (y", ""])
    func status(command: String) throws {
        let status = try #require(ProcFS.ProcessStatus(parsing: "42 (\(command)) \(Self.tail)"))
        #expect(status.pid == 42 && status.command == command && status.state == "S")
        #expect(status.parent == 7 && status.startTime == 987_654)
    }

    @Test(
        "a text that is no process status is refused",
        arguments: ["", "42", "42 )x( S 1", "42 (x) S 1 2", "(x) \(tail)"])
    func badStatus(text: String) {
        #expect(ProcFS.ProcessStatus(parsing: text) == nil)
    }

    @Test("memory is given in bytes; an old kernel's missing estimate is what is free")
    func memory() throws {
        let text =
            "MemTotal:       24684092 kB\nMemFree:        100 kB\nMemAvailable:   200 kB\n"
            + "SwapTotal:       0 kB\nHugePages_Total: 3\n"
        let memory = try #require(ProcFS.MemoryInformation(parsing: text))
        #expect(memory.totalBytes == 24_684_092 * 1024 && memory.freeBytes == 102_400)
        #expect(memory.availableBytes == 204_800 && memory.swapTotalBytes == 0)
        #expect(ProcFS.MemoryInformation(parsing: "MemTotal: 5 kB\nMemFree: 1 kB\n")?.availableBytes == 1024)
        #expect(ProcFS.MemoryInformation(parsing: "MemTotal: 99999999999999999999 kB\nMemFree: 1 kB\n") == nil)
    }

    @Test("load, boot time, uptime and processors are read from their lines")
    func small() throws {
        let load = try #require(ProcFS.LoadAverage(parsing: "0.50 1.25 2.00 3/412 9999\n"))
        #expect(load.oneMinute == 0.5 && load.fifteenMinutes == 2 && load.runnable == 3 && load.tasks == 412)
        #expect(ProcFS.LoadAverage(parsing: "0.5 x 2 3/4 5") == nil)
        #expect(ProcFS.bootTime(parsing: "cpu 1 2\nbtime 1700000000\nprocesses 4\n") == 1_700_000_000)
        #expect(ProcFS.bootTime(parsing: "cpu 1\n") == nil)
        #expect(ProcFS.uptimeSeconds(parsing: "12.50 20.00\n") == 12.5)
        #expect(
            ProcFS.processorCount(parsing: "processor\t: 0\nmodel name\t: a\nprocessor\t: 1\nprocessor type: x\n") == 2)
    }

    @Test("the running kernel is understood")
    func host() throws {
        #expect(try ProcFS.status(of: getpid()).parent == getppid())
        #expect(try ProcFS.bootID().count == 36)
        #expect(try ProcFS.memory().totalBytes > 0)
        #expect(try ProcFS.loadAverage().tasks > 0)
        let booted = Int64(time(nil)) - Int64(try ProcFS.uptimeSeconds())
        #expect(abs(try ProcFS.bootTime() - booted) <= 5)
        #expect(ProcFS.processorCount() >= 1)
    }
}
