import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Runs a credential provider's program once: a question on its standard input, the answer on its standard output. Blocks.
struct CredentialProviderProgram: Sendable {
    let path: String
    let arguments: [String]
    let environment: [CredentialProvider.Variable]
    /// Begins every message.
    let subject: String
    var timeout = Duration.seconds(60)
    var outputLimitBytes = 1 << 20

    /// So much of what it says on standard error, its end, becomes part of a message.
    private static let errorTailBytes = 200
    /// A question is so small that a pipe takes it before anybody reads.
    private static let questionLimitBytes = 4 << 10

    /// - Throws: ``ImageError/Code/invalidCredentials`` when it does not end well, in time, and with no more than so much to say.
    func run(_ question: [UInt8]) throws(ImageError) -> [UInt8] {
        let result: Result<[UInt8], ImageError>
        do throws(KernelError) { result = try exchange(question) } catch {
            throw ImageError(.invalidCredentials, "\(subject): cannot be run: \(error)")
        }
        return try result.get()
    }

    private func failure(_ reason: String) -> Result<[UInt8], ImageError> {
        .failure(ImageError(.invalidCredentials, "\(subject): \(reason)"))
    }

    private func exchange(_ question: [UInt8]) throws(KernelError) -> Result<[UInt8], ImageError> {
        guard question.count <= Self.questionLimitBytes else { throw KernelError("write", path, errno: .fileTooLarge) }
        let input = try Self.pipe()
        let reader = OwnedDescriptor(owning: input.reader)
        let writer = OwnedDescriptor(owning: input.writer)
        try writer.writeAll(question)
        _ = consume writer
        let output = try Self.pipe()
        let answer = OwnedDescriptor(owning: output.reader)
        let answerWriter = OwnedDescriptor(owning: output.writer)
        let errors = try Self.pipe()
        let words = OwnedDescriptor(owning: errors.reader)
        let wordsWriter = OwnedDescriptor(owning: errors.writer)
        let process = try PidFD.open(try spawn([reader.raw, answerWriter.raw, wordsWriter.raw]))
        _ = consume answerWriter
        _ = consume wordsWriter
        _ = consume reader
        var streams = Streams(answer: answer.raw, words: words.raw, limitBytes: outputLimitBytes)
        var isInTime = false
        do throws(KernelError) { isInTime = try streams.read(until: process.raw, timeout: timeout) } catch {
            try end(process)
            throw error
        }
        // What it has left running holds nothing up, and goes with it.
        let exit = try end(process)
        guard isInTime else { return failure("has not ended after \(timeout)") }
        guard !streams.isTooLong else { return failure("answers with more than \(outputLimitBytes) bytes") }
        switch exit {
        case .code(0): return .success(streams.answerBytes)
        case .code(let code): return failure("ended with exit code \(code)\(Self.tail(streams.wordsBytes))")
        case .signal(let signal, _): return failure("was ended by signal \(signal)\(Self.tail(streams.wordsBytes))")
        }
    }

    /// Ends the program, if it has not, and all that it has started in its session.
    @discardableResult
    private func end(_ process: borrowing PidFD) throws(KernelError) -> PidFD.Exit {
        // Not reaped yet, so that its number is still its own.
        if try !process.waitForEnd(timeout: .zero) { try process.send(SIGKILL) }
        kill(-process.pid, SIGKILL)
        return try process.reap()
    }

    private static func tail(_ bytes: [UInt8]) -> String {
        bytes.isEmpty ? "" : ": " + ImageError.quoted(bytes.suffix(errorTailBytes))
    }

    private static func pipe() throws(KernelError) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        try kernelCall("pipe2") { CLinux_pipe(&ends) }
        return (ends[0], ends[1])
    }

    /// What a program says, as far as it is kept.
    private struct Streams {
        let answer: Int32
        let words: Int32
        let limitBytes: Int
        var answerBytes: [UInt8] = []
        var wordsBytes: [UInt8] = []
        var isTooLong = false

        /// Reads until the process has ended; `false` when it has not in time, or says too much.
        mutating func read(until process: Int32, timeout: Duration) throws(KernelError) -> Bool {
            for descriptor in [answer, words] {
                try kernelCall("fcntl") { CLinux_fcntl_int(descriptor, F_SETFL, O_NONBLOCK) }
            }
            let deadline = ContinuousClock.now + timeout
            while true {
                var entries = [answer, words, process].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                // A closed end would be ready for ever.
                if isAnswerClosed { entries[0].fd = -1 }
                if areWordsClosed { entries[1].fd = -1 }
                let left = (deadline - .now) / .milliseconds(1)
                let ready = try kernelCall("poll") {
                    poll(&entries, 3, Int32(clamping: Int64(max(0, left.rounded(.up)))))
                }
                if ready == 0, ContinuousClock.now >= deadline { return false }
                // Before the last look: what was written before the end is there.
                let hasEnded = entries[2].revents != 0
                isAnswerClosed = try Self.drain(answer, into: &answerBytes, limit: limitBytes + 1)
                areWordsClosed = try Self.drain(words, into: &wordsBytes, limit: limitBytes + 1)
                isTooLong = answerBytes.count > limitBytes || wordsBytes.count > limitBytes
                if isTooLong || hasEnded { return true }
            }
        }

        private var isAnswerClosed = false
        private var areWordsClosed = false

        init(answer: Int32, words: Int32, limitBytes: Int) {
            self.answer = answer
            self.words = words
            self.limitBytes = limitBytes
        }

        /// Reads what is there; gives whether it was the end.
        private static func drain(_ descriptor: Int32, into bytes: inout [UInt8], limit: Int) throws(KernelError)
            -> Bool
        {
            var chunk = [UInt8](repeating: 0, count: 16 << 10)
            while bytes.count < limit {
                let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
                if count == 0 { return true }
                guard count > 0 else {
                    switch Errno.current {
                    case .interrupted: continue
                    case .resourceTemporarilyUnavailable, .wouldBlock: return false
                    default: throw KernelError.last("read")
                    }
                }
                bytes.append(contentsOf: chunk[..<count])
            }
            return false
        }
    }

    // MARK: Starting

    /// Belong to the agent and mean nothing, or something wrong, to another program.
    private static let agentsOwn: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    ]

    /// The agent's own environment, and on top of it the configured one.
    private var variables: [String] {
        var values: [String: String] = [:]
        for line in Self.inherited {
            let name = line.prefix { $0 != "=" }
            guard !Self.agentsOwn.contains(String(name)), name.endIndex < line.endIndex else { continue }
            values[String(name)] = String(line[line.index(after: name.endIndex)...])
        }
        for variable in environment { values[variable.name] = variable.value }
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    private static var inherited: [String] {
        let bytes = (try? FileSystem.read("/proc/self/environ")) ?? []
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private func spawn(_ standard: [Int32]) throws(KernelError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Ours are all above 2: the agent keeps the standard descriptors open.
        for (number, descriptor) in standard.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        posix_spawn_file_actions_addchdir_np(&actions, "/")
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80 /* POSIX_SPAWN_SETSID */
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) }
        defer { for text in words + settings { free(text) } }
        words.append(nil)
        settings.append(nil)
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, &attributes, words, settings)
        guard code == 0 else { throw KernelError("spawn", path, errno: Errno(rawValue: code)) }
        return pid
    }
}
