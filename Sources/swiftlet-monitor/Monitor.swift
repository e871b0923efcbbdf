import CLinux
import MonitorCoreEmbedded

/// One container's monitor: launches it, frames its output into the log, enters it for execs, and records its end.
///
/// One thread, one poll(2) loop. The decisions are ``MonitorStateMachine``'s.
struct Monitor: ~Copyable {
    private static let executionLimit = 64

    private let plan: LaunchPlan
    private var machine = MonitorStateMachine()
    private var connections: AgentConnections
    private var log: LogFile?
    private var memory: OutOfMemoryWatch
    private var initProcess: ChildProcess?
    private var executions: [Execution] = []
    private var streams = StandardStreams()
    private var attachments = Attachments()
    /// v1 tells of memory pressure before the kill: the counter is looked at again until it moved or this many looks were had.
    private var memoryLooksLeft = 0
    private let listener: Int32
    private let targetPidFD: Int32
    private var buffer = [UInt8](repeating: 0, count: 16384)
    /// Killed on request: what a launch goes on in must not outlive that.
    private var isKilled = false

    /// - Parameter targetPidFD: of a process in the PID namespace that the plan joins; used when it joins one.
    init(plan: LaunchPlan, creator: Int32, listener: Int32, targetPidFD: Int32) {
        self.plan = plan
        self.targetPidFD = targetPidFD
        self.listener = listener
        connections = AgentConnections(listener: listener, creator: creator)
        memory = OutOfMemoryWatch(
            eventsFile: plan.outOfMemoryEventsFile, controlFile: plan.outOfMemoryEventControlFile)
    }

    /// Launches the container and serves it to its end.
    mutating func run() {
        do { try launch() } catch {
            machine.launchFailed(LaunchFailure(step: LaunchFailure.noStep, errno: error.errno))
            carryOut(machine.initExited(exitCode: 127, signal: 0, outOfMemory: false, now: now))
        }
        while true { serveOnce() }
    }

    private var now: Int64 { Int64(CLinux_realtime_nanoseconds()) }
    /// Seconds, whatever happens to the clock on the wall.
    private var uptime: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec)
    }

    private mutating func launch() throws(SystemError) {
        if let path = plan.logFile { log = try LogFile(path: path, limit: plan.logLimit) }
        let (near, far) = try StandardStreams.make(for: plan)
        streams = near
        let process = try ChildProcess.launch(
            plan, standard: (far.input, far.output, far.errorOutput),
            entry: plan.joinsPIDNamespace ? .sharing(pidFD: targetPidFD) : .none)
        if plan.joinsPIDNamespace { close(targetPidFD) }
        far.closeAll()
        initProcess = process
        machine.cloned(pid: process.pid, startTime: startTime(of: process.pid))
    }

    /// Waits for the next events and handles each. Reports come before deaths: a launch is known before its end is.
    private mutating func serveOnce() {
        var set: [pollfd] = []
        func watch(_ descriptor: Int32) {
            if descriptor >= 0 { set.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
        }
        watch(listener)
        watch(streams.terminalSocket)
        // Who looks on and does not keep up holds the container's output up, for a while.
        if !attachments.areBehind {
            watch(streams.output)
            watch(streams.errorOutput)
        }
        watch(memory.eventDescriptor)
        for socket in connections.sockets { watch(socket) }
        attachments.watch(in: &set)
        if let initProcess {
            watch(initProcess.report)
            watch(initProcess.pidFD)
        }
        for execution in executions {
            watch(execution.process.report)
            watch(execution.process.pidFD)
        }
        let count = poll(&set, UInt(set.count), memoryLooksLeft > 0 ? 10 : attachments.areBehind ? 1000 : -1)
        if memoryLooksLeft > 0 { lookAtMemory() }
        if attachments.areBehind { attachments.dropStalled(now: uptime) }
        if count <= 0 { return }
        for entry in set where entry.revents != 0 { handle(entry.fd) }
        handleDeaths(set)
        endExecutionsOfLost()
    }

    private mutating func handle(_ descriptor: Int32) {
        if descriptor == listener {
            // Before another connection can have the number of one that is gone.
            endExecutionsOfLost()
            connections.accept(current: machine.currentEvent)
        } else if descriptor == streams.terminalSocket {
            streams.receiveTerminal()
        } else if descriptor == streams.output {
            drain(isError: false)
        } else if descriptor == streams.errorOutput {
            drain(isError: true)
        } else if attachments.owns(descriptor) {
            attachments.handle(descriptor, now: uptime)
        } else if descriptor == memory.eventDescriptor {
            memory.acknowledge()
            memoryLooksLeft = 50
            lookAtMemory()
        } else if connections.sockets.contains(descriptor) {
            serve(descriptor)
        } else if let process = initProcess, descriptor == process.report {
            readInitReport()
        } else {
            for index in executions.indices where executions[index].process.report == descriptor {
                readExecutionReport(index)
            }
        }
    }

    private mutating func handleDeaths(_ set: [pollfd]) {
        // Looked at once more: the number may since be that of another process.
        for entry in set where entry.revents != 0 && isReadable(entry.fd) {
            if let process = initProcess, entry.fd == process.pidFD {
                finishInit(process)
            } else {
                finishExecution(pidFD: entry.fd)
            }
        }
    }

    private mutating func carryOut(_ actions: [MonitorStateMachine.Action]) {
        for action in actions {
            switch action {
            case .none: break
            case .unblockInit:
                var byte = UInt8(1)
                if let initProcess { _ = send(initProcess.report, &byte, 1, Int32(MSG_NOSIGNAL)) }
            case .killInit: signalInit(SIGKILL)
            case .announce(let event): connections.broadcast(event)
            case .finish(let record): finish(record)
            }
        }
    }

    private mutating func signalInit(_ number: Int32) {
        if number == SIGKILL { isKilled = true }
        initProcess?.signal(number)
    }

    // MARK: Output and memory

    private mutating func drain(isError: Bool) {
        guard !attachments.areBehind else { return }
        let source = isError ? streams.errorOutput : streams.output
        let count = buffer.withUnsafeMutableBytes { read(source, $0.baseAddress, $0.count) }
        if count > 0 {
            log?.append(buffer[0..<count], isError: isError)
            attachments.send(buffer[0..<count], isError: isError, now: uptime)
        } else if count == 0 || CLinux_errno() != EAGAIN && CLinux_errno() != EINTR {
            close(source)
            if isError { streams.errorOutput = -1 } else { streams.output = -1 }
        }
    }

    private mutating func lookAtMemory() {
        memoryLooksLeft -= 1
        if memory.kills() > 0 {
            memoryLooksLeft = 0
            carryOut(machine.memoryExhausted())
        }
    }

    // MARK: Requests

    private mutating func serve(_ socket: Int32) {
        let creator = connections.creator
        guard let packet = connections.receive(from: socket) else {
            if socket == creator, connections.creator < 0 { carryOut(machine.creatorIsGone()) }
            return
        }
        switch packet.request {
        case .release: carryOut(machine.release())
        case .signal(let number): signalInit(number)
        case .execute(let identifier): execute(identifier, packet.descriptors, caller: -1)
        case .executeForCaller(let identifier): execute(identifier, packet.descriptors, caller: socket)
        case .signalExecution(let identifier, let number):
            for index in executions.indices where executions[index].identifier == identifier {
                executions[index].signal(number)
            }
        case .reopenLog: log?.reopen()
        case .attach: attach(packet.descriptors)
        case .closeInput: closeInput()
        }
        for descriptor in packet.descriptors { close(descriptor) }
    }

    private mutating func attach(_ descriptors: [Int32]) {
        guard descriptors.count >= 2,
            attachments.add(output: descriptors[1], error: descriptors.count > 2 ? descriptors[2] : -1)
        else { return }
        var byte = UInt8(ascii: "A")
        var input = streams.input
        _ = CLinux_send_descriptors(
            descriptors[0], &byte, 1, &input, input < 0 ? 0 : 1, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }

    private mutating func closeInput() {
        if streams.input >= 0 { close(streams.input) }
        streams.input = -1
    }

    private mutating func execute(_ identifier: UInt32, _ descriptors: [Int32], caller: Int32) {
        do throws(SystemError) {
            guard let initProcess, descriptors.count == 4 else { throw SystemError(ESRCH) }
            guard executions.count < Monitor.executionLimit else { throw SystemError(EAGAIN) }
            let bytes = try readAll(descriptors[0], limit: 1 << 22)
            let plan: LaunchPlan
            do { plan = try LaunchPlan(decoding: bytes) } catch { throw SystemError(EPROTO) }
            let process = try ChildProcess.launch(
                plan, standard: (descriptors[1], descriptors[2], descriptors[3]),
                entry: .execution(initPidFD: initProcess.pidFD))
            executions.append(Execution(identifier: identifier, caller: caller, process: process))
        } catch {
            let failure = LaunchFailure(step: LaunchFailure.noStep, errno: error.errno)
            connections.broadcast(.executionFailed(identifier: identifier, failure))
        }
    }

    private mutating func endExecutionsOfLost() {
        for socket in connections.takeLost() {
            for index in executions.indices where executions[index].caller == socket {
                executions[index].signal(SIGKILL)
            }
        }
    }

    // MARK: Children

    private mutating func readInitReport() {
        guard var process = initProcess else { return }
        let report = process.readReport()
        initProcess = process
        switch report {
        case .nothing: break
        case .ready: carryOut(machine.initIsReady())
        case .failed(let failure): machine.launchFailed(failure)
        case .successor(let pid): follow(pid, after: process)
        case .closed:
            // A launcher's successor is known when the launcher is dead, which is next.
            if !process.isLauncher { carryOut(machine.reportSocketClosed(now: now)) }
        }
    }

    /// Whether the launch goes on in a successor of the dead launcher.
    private mutating func followInit() -> Bool {
        guard var process = initProcess, process.isLauncher else { return false }
        do throws(SystemError) {
            defer { initProcess = process }
            guard try process.follow() else { return false }
        } catch {
            machine.launchFailed(LaunchFailure(step: LaunchFailure.noStep, errno: error.errno))
            return false
        }
        machine.cloned(pid: process.pid, startTime: startTime(of: process.pid))
        if process.report < 0 { carryOut(machine.reportSocketClosed(now: now)) }
        return true
    }

    /// The launch goes on in another child of ours, which waits to hear that we know it.
    private mutating func follow(_ pid: Int32, after launcher: ChildProcess) {
        // No other process can have the number: the child is not reaped.
        let pidFD = CLinux_pidfd_open(pid, 0)
        if pidFD < 0 {
            machine.launchFailed(LaunchFailure(step: LaunchFailure.noStep, errno: CLinux_errno()))
            return
        }
        _ = launcher.reap()
        close(launcher.pidFD)
        var successor = ChildProcess(pid: pid, pidFD: pidFD, report: launcher.report)
        machine.cloned(pid: pid, startTime: startTime(of: pid))
        if isKilled { successor.signal(SIGKILL) }
        initProcess = successor
        var byte = UInt8(1)
        _ = send(successor.report, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    private mutating func readExecutionReport(_ index: Int) {
        let report = executions[index].process.readReport()
        let identifier = executions[index].identifier
        switch report {
        case .nothing, .ready, .successor: break
        case .failed(let failure): connections.broadcast(.executionFailed(identifier: identifier, failure))
        case .closed:
            if !executions[index].process.isLauncher {
                connections.broadcast(.executionStarted(identifier: identifier))
            }
        }
    }

    /// Whether the dead launcher has a successor.
    private mutating func followExecution(_ index: Int) -> Bool {
        let identifier = executions[index].identifier
        do throws(SystemError) {
            guard try executions[index].process.follow() else { return false }
        } catch {
            let failure = LaunchFailure(step: LaunchFailure.noStep, errno: error.errno)
            connections.broadcast(.executionFailed(identifier: identifier, failure))
            return false
        }
        if executions[index].process.report < 0 {
            connections.broadcast(.executionStarted(identifier: identifier))
        }
        return true
    }

    private mutating func finishExecution(pidFD: Int32) {
        guard let index = executions.firstIndex(where: { $0.process.pidFD == pidFD }) else { return }
        if executions[index].process.report >= 0 { readExecutionReport(index) }
        let isLauncher = executions[index].process.isLauncher
        if followExecution(index) { return }
        let execution = executions.remove(at: index)
        let end = execution.process.reap()
        if isLauncher, end.signal == SIGSYS {
            let failure = LaunchFailure(step: LaunchFailure.appearance, errno: EPERM)
            connections.broadcast(.executionFailed(identifier: execution.identifier, failure))
        }
        close(execution.process.pidFD)
        if execution.process.report >= 0 { close(execution.process.report) }
        connections.broadcast(
            .executionExited(identifier: execution.identifier, exitCode: end.exitCode, signal: end.signal))
    }

    private mutating func finishInit(_ process: ChildProcess) {
        // What was written before the death is still in the pipes, and a launch report may be in its socket.
        for _ in 0..<4 where (initProcess?.report ?? -1) >= 0 { readInitReport() }
        // It only handed the launch on.
        if let current = initProcess, current.pid != process.pid { return }
        if followInit() { return }
        attachments.finish()
        while streams.output >= 0, isReadable(streams.output) {
            drain(isError: false)
            attachments.finish()
        }
        while streams.errorOutput >= 0, isReadable(streams.errorOutput) {
            drain(isError: true)
            attachments.finish()
        }
        log?.finish()
        let end = process.reap()
        if process.isLauncher, end.signal == SIGSYS {
            machine.launchFailed(LaunchFailure(step: LaunchFailure.appearance, errno: EPERM))
        }
        endLaunchers()
        // With a PID namespace of its own the kernel has ended everything in it; else the rest would live on unwatched.
        if plan.cloneFlags & UInt64(CLONE_NEWPID) == 0 { RemainingProcesses(of: plan).end() }
        carryOut(
            machine.initExited(
                exitCode: end.exitCode, signal: end.signal, outOfMemory: memory.kills() > 0, now: now))
    }

    /// They are in the container's cgroup, but not among the processes that its end takes along.
    private mutating func endLaunchers() {
        for index in executions.indices where executions[index].process.isLauncher {
            executions[index].process.signal(SIGKILL)
            _ = executions[index].process.reap()
        }
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// The record is on disk before anybody is told: an agent that missed the message reads the file.
    private mutating func finish(_ record: ExitRecord) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let file = CLinux_open("exit.tmp", flags, 0o600)
        if file >= 0 {
            do {
                try writeAll(file, record.encoded())
                rename("exit.tmp", "exit")
            } catch {}
            close(file)
        }
        connections.broadcast(.exited(record))
        _exit(0)
    }
}

/// Field 22 of /proc/<pid>/stat: clock ticks from boot to the process's start.
func startTime(of pid: Int32) -> UInt64 {
    var path: [UInt8] = []
    let prefix: StaticString = "/proc/"
    let suffix: StaticString = "/stat"
    prefix.withUTF8Buffer { path.append(contentsOf: $0) }
    path.append(contentsOf: decimal(pid))
    suffix.withUTF8Buffer { path.append(contentsOf: $0) }
    guard let path = CString(path) else { return 0 }
    let text: [UInt8]
    do { text = try readFile(path) } catch { return 0 }
    // The command name, field 2, is in parentheses and may hold anything; counting starts after the last one.
    guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return 0 }
    var field = 2
    var value: UInt64 = 0
    for byte in text[(end + 1)...] {
        if byte == 0x20 {
            if field == 22 { return value }
            field += 1
            value = 0
        } else if field == 22, byte >= 0x30, byte <= 0x39 {
            value = value &* 10 &+ UInt64(byte - 0x30)
        }
    }
    return value
}
