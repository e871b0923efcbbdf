import NIOCore
import Synchronization
import Testing

@testable import ControlEndpoint

@Suite("The pipe of a streamed answer")
struct AnswerPipeTests {
    private static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

    private final class Written: Sendable {
        let parts = Atomic(0)
    }

    @Test("what is written is read in order, then comes the end")
    func order() async throws {
        let pipe = AnswerPipe()
        try await pipe.write(ByteBuffer(string: "one "))
        try await pipe.write(ByteBuffer())
        try await pipe.write(ByteBuffer(string: "two"))
        pipe.finish(.success(()))
        var text = ""
        for try await part in AnswerPipeBody(pipe) { text += String(buffer: part) }
        #expect(text == "one two")
        #expect(try await pipe.read() == nil)
    }

    @Test("a reader that waits gets the next part")
    func waitingReader() async throws {
        let pipe = AnswerPipe()
        async let part = pipe.read()
        try await pipe.write(ByteBuffer(string: "late"))
        let read = try await part
        #expect(read == ByteBuffer(string: "late"))
    }

    @Test("the reader is told how the writer failed, after what was written before")
    func failure() async throws {
        struct Broken: Error {}
        let pipe = AnswerPipe()
        try await pipe.write(ByteBuffer(string: "part"))
        pipe.finish(.failure(Broken()))
        #expect(try await pipe.read() == ByteBuffer(string: "part"))
        await #expect(throws: Broken.self) { try await pipe.read() }
    }

    @Test("a writer far ahead waits until it is read")
    func backPressure() async throws {
        let pipe = AnswerPipe()
        let written = Written()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for _ in 0..<8 {
                    try await pipe.write(Self.bytes(100 * 1024))
                    written.parts.add(1, ordering: .relaxed)
                }
                pipe.finish(.success(()))
            }
            var read = 0
            while let part = try await pipe.read() {
                read += part.readableBytes
                // Never more than the mark and one part ahead.
                #expect(written.parts.load(ordering: .relaxed) * 100 * 1024 <= read + 356 * 1024)
            }
            #expect(read == 800 * 1024)
            try await group.waitForAll()
        }
    }

    @Test("a reader that goes ends the writer and tells those who asked")
    func gone() async throws {
        let pipe = AnswerPipe()
        let told = Mutex(0)
        pipe.onGone { told.withLock { $0 += 1 } }
        do {
            var body: AnswerPipeBody? = AnswerPipeBody(pipe)
            #expect(body != nil)
            body = nil
        }
        #expect(told.withLock { $0 } == 1)
        await #expect(throws: CancellationError.self) { try await pipe.write(Self.bytes(1)) }
        pipe.onGone { told.withLock { $0 += 1 } }
        #expect(told.withLock { $0 } == 2)
    }

    @Test("cancelling the reader closes the pipe; cancelling the writer ends its wait")
    func cancellation() async throws {
        let pipe = AnswerPipe()
        let reader = Task { try await pipe.read() }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        await #expect(throws: CancellationError.self) { try await pipe.write(Self.bytes(1)) }

        let full = AnswerPipe()
        let writer = Task { try await full.write(Self.bytes(300 * 1024)) }
        writer.cancel()
        await #expect(throws: CancellationError.self) { try await writer.value }
        #expect(try await full.read()?.readableBytes == 300 * 1024)
    }
}
