import ContainerRuntime
import Glibc
import LinuxKernel
import Logging
import MonitorCore
import Testing

/// A runtime of its own for one test: own directories, own cgroup root, everything removed and checked for leaks at the end.
struct RuntimeFixture: Sendable {
    let directory: String
    let cgroups: CgroupManager
    let runtime: RuntimeService
    let runtimeConfiguration: RuntimeConfiguration
    let sandbox: PodSandbox

    static var monitorPath: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? 0
        }
        let executable = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return executable.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/swiftlet-monitor"
    }

    /// Runs `body` with a started runtime and one sandbox, then removes all and fails the test for anything left.
    static func with(
        sandbox change: @Sendable (inout PodSandboxConfig) -> Void = { _ in },
        _ body: @Sendable (RuntimeFixture) async throws -> Void
    ) async throws {
        let name = "swiftlet-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let directory = "/tmp/" + name
        try FileSystem.makeDirectories(directory + "/logs")
        let cgroups = CgroupManager(hierarchies: try CgroupHierarchies.discover(), root: "/" + name)
        let configuration = RuntimeConfiguration(
            runDirectory: directory + "/run", stateDirectory: directory + "/state", monitorPath: monitorPath,
            cgroups: cgroups)
        let runtime = try RuntimeService(configuration: configuration, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runtime.run() }
            try await runtime.start()
            try cgroups.createIfNeeded("kubepods/podtest")
            var sandboxConfig = PodSandboxConfig(
                podUID: "test", podNamespace: "default", podName: "pod", hostname: "pod-host",
                cgroupPath: "kubepods/podtest")
            change(&sandboxConfig)
            let sandbox = try await runtime.runPodSandbox(sandboxConfig)
            let fixture = RuntimeFixture(
                directory: directory, cgroups: cgroups, runtime: runtime, runtimeConfiguration: configuration,
                sandbox: sandbox)
            do { try await body(fixture) } catch {
                Issue.record("the test threw: \(error)")
            }
            for container in await runtime.containers() {
                try await runtime.stopContainer(container.id, gracePeriod: .zero)
            }
            try await runtime.removePodSandbox(sandbox.id)
            #expect(await runtime.containers().isEmpty)
            group.cancelAll()
        }
        #expect(try Mount.points(below: directory) == [], "a mount was left")
        #expect(try FileSystem.list(directory + "/run/containers") == [])
        #expect(try FileSystem.list(directory + "/run/sandboxes") == [])
        #expect(try FileSystem.list(directory + "/state/containers") == [])
        #expect(try cgroups.children("kubepods/podtest") == [], "a cgroup was left")
        try cgroups.removeTree("")
        try FileSystem.removeTree(directory)
    }

    func config(
        _ arguments: [String], name: String = "main", attempt: UInt32 = 0,
        _ change: (inout ContainerConfig) -> Void = { _ in }
    ) -> ContainerConfig {
        var config = ContainerConfig(
            sandboxID: sandbox.id,
            metadata: ContainerMetadata(
                podUID: "test", podNamespace: "default", podName: "pod", name: name, attempt: attempt),
            arguments: arguments, environment: ["PATH=/usr/bin:/bin"],
            cgroupPath: "kubepods/podtest/\(name).\(attempt)", logPath: logPath(name, attempt))
        change(&config)
        return config
    }

    func logPath(_ name: String = "main", _ attempt: UInt32 = 0) -> String {
        directory + "/logs/\(name).\(attempt).log"
    }

    /// Runs to the end and gives the exit record.
    func runToEnd(_ config: ContainerConfig) async throws -> ExitedContainer {
        let container = try await runtime.createContainer(config)
        try await runtime.startContainer(container.id)
        let record = try #require(await runtime.waitForExit(of: container.id))
        let log = try FileSystem.readText(config.logPath)
        return ExitedContainer(
            exitCode: record.reportedExitCode, outOfMemory: record.outOfMemory, lines: LogLine.parse(log))
    }
}

struct ExitedContainer {
    let exitCode: Int32
    let outOfMemory: Bool
    let lines: [LogLine]

    var standardOutput: [String] { lines.filter { $0.stream == "stdout" }.map(\.text) }
    var standardError: [String] { lines.filter { $0.stream == "stderr" }.map(\.text) }
}

struct LogLine {
    let stream: String
    let tag: String
    let text: String

    static func parse(_ log: String) -> [LogLine] {
        log.split(separator: "\n").map { line in
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            return LogLine(stream: fields[1], tag: fields[2], text: fields.count > 3 ? fields[3] : "")
        }
    }
}
