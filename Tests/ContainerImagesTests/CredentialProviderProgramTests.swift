import Testing

@testable import ContainerImages

@Suite("A credential provider's program", .timeLimit(.minutes(5)))
struct CredentialProviderProgramTests {
    private static func program(_ script: String) -> CredentialProviderProgram {
        CredentialProviderProgram(
            path: "/bin/sh", arguments: ["-c", script],
            environment: [CredentialProvider.Variable(name: "PROFILE", value: "test")], subject: "provider")
    }

    private static func failure(_ program: CredentialProviderProgram) -> String {
        do throws(ImageError) {
            _ = try program.run([])
            return "it did not fail"
        } catch { return error.message }
    }

    @Test("gets the question, its arguments and its environment, and its answer is what it prints")
    func exchange() throws {
        let answer = try Self.program("cat; printf %s \"$PROFILE\"; echo hush >&2").run(Array("question ".utf8))
        #expect(String(decoding: answer, as: UTF8.self) == "question test")
    }

    @Test("an answer larger than a pipe comes whole")
    func large() throws {
        let answer = try Self.program("head -c 300000 /dev/zero").run([])
        #expect(answer.count == 300_000)
    }

    @Test("that fails is quoted with its last words")
    func failing() {
        #expect(
            Self.failure(Self.program("echo no such profile >&2; exit 3"))
                == #"provider: ended with exit code 3: "no such profile\x0a""#)
        #expect(Self.failure(Self.program("kill -9 $$")) == "provider: was ended by signal 9")
    }

    @Test("that says too much is ended, on standard error too")
    func endless() {
        var program = Self.program("exec cat /dev/zero")
        program.outputLimitBytes = 1000
        #expect(Self.failure(program) == "provider: answers with more than 1000 bytes")
        program = Self.program("exec cat /dev/zero >&2")
        program.outputLimitBytes = 1000
        #expect(Self.failure(program) == "provider: answers with more than 1000 bytes")
    }

    @Test("that takes too long is ended")
    func slow() {
        var program = Self.program("exec sleep 1000")
        program.timeout = .milliseconds(50)
        #expect(Self.failure(program).hasPrefix("provider: has not ended after"))
    }

    @Test("what it leaves running holds nothing up")
    func leftover() throws {
        #expect(try Self.program("sleep 1000 & echo done").run([]) == Array("done\n".utf8))
    }

    @Test("that is none is said")
    func absent() {
        let program = CredentialProviderProgram(
            path: "/nonexistent/provider", arguments: [], environment: [], subject: "provider")
        #expect(Self.failure(program).hasPrefix("provider: cannot be run: "))
    }
}
