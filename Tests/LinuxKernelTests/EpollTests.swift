import Glibc
import LinuxKernel
import Synchronization
import SystemPackage
import Testing

@Suite struct EpollTests {
    @Test("a handler is called with its events, on a thread of its own")
    func handler() async throws {
        let loop = try EpollLoop()
        let pipe = try Pipe()
        let reader = pipe.readEnd.raw
        let (stream, continuation) = AsyncStream.makeStream(of: UInt32.self)
        let token = try loop.add(descriptor: reader, events: EpollEvents.readable) { events in
            var byte: UInt8 = 0
            _ = read(reader, &byte, 1)
            continuation.yield(events)
        }
        try pipe.writeByte()
        try pipe.writeByte()
        var iterator = stream.makeAsyncIterator()
        for _ in 0..<2 { #expect(await iterator.next() == EpollEvents.readable) }
        loop.remove(token)
        loop.stop()
    }

    @Test("deadlines are met in their order, whatever order they came in, and a removed one is not")
    func deadlines() async throws {
        let loop = try EpollLoop()
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        let begin = ContinuousClock.now
        _ = loop.schedule(after: .milliseconds(40)) { continuation.yield(40) }
        let removed = loop.schedule(after: .milliseconds(5)) { continuation.yield(5) }
        _ = loop.schedule(after: .milliseconds(20)) { continuation.yield(20) }
        _ = loop.schedule(after: .zero) { continuation.yield(0) }
        loop.remove(removed)
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next() == 0)
        #expect(await iterator.next() == 20)
        #expect(await iterator.next() == 40)
        #expect(begin.duration(to: .now) >= .milliseconds(40))
        loop.stop()
    }

    @Test("a removed registration's handler is not called again, and its completion comes after the last call")
    func remove() async throws {
        let loop = try EpollLoop()
        let pipe = try Pipe()
        let (calls, called) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        let shared = SharedCounters()
        // Level-triggered and never read: called again and again until it is removed.
        let token = try loop.add(descriptor: pipe.readEnd.raw, events: EpollEvents.readable) { _ in
            shared.count()
            called.yield()
        }
        try pipe.writeByte()
        var iterator = calls.makeAsyncIterator()
        await iterator.next()
        await withCheckedContinuation { continuation in
            loop.remove(token) {
                shared.remove()
                continuation.resume()
            }
        }
        // A second registration that is called proves that the loop went on without the first.
        let second = try Pipe()
        let (others, other) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        _ = try loop.add(descriptor: second.readEnd.raw, events: EpollEvents.readable | EpollEvents.oneShot) { _ in
            other.yield()
        }
        try second.writeByte()
        var otherIterator = others.makeAsyncIterator()
        await otherIterator.next()
        #expect(shared.lateCalls == 0)
        loop.stop()
    }

    @Test("a stopped loop takes nothing more, and still completes removals")
    func stopped() throws {
        let loop = try EpollLoop()
        let pipe = try Pipe()
        let token = try loop.add(descriptor: pipe.readEnd.raw, events: EpollEvents.readable) { _ in }
        loop.stop()
        loop.stop()
        let error = #expect(throws: KernelError.self) {
            try loop.add(descriptor: pipe.readEnd.raw, events: EpollEvents.readable) { _ in }
        }
        #expect(error?.errno == .canceled)
        let done = SharedCounters()
        loop.remove(token) { done.remove() }
        #expect(done.isRemoved)
    }

    @Test("a loop may be stopped and released by its own handler")
    func stopFromHandler() async throws {
        let pipe = try Pipe()
        let raw = pipe.readEnd.raw
        let box = LoopBox(try EpollLoop())
        await withCheckedContinuation { continuation in
            box.withLoop { loop in
                _ = try? loop?.add(descriptor: raw, events: EpollEvents.readable | EpollEvents.oneShot) { _ in
                    box.release()
                    continuation.resume()
                }
            }
            _ = try? pipe.writeByte()
        }
        #expect(box.isEmpty)
    }

    @Test("loops that are dropped as soon as they are made end, whoever is faster", .timeLimit(.minutes(5)))
    func droppedAtOnce() throws {
        for _ in 0..<50 { _ = try EpollLoop(name: "dropped") }
        // Each had two descriptors and a thread, which went with it.
        let names = try FileSystem.list("/proc/self/task").map { task in
            (try? FileSystem.readText("/proc/self/task/\(task)/comm", limit: 64)) ?? ""
        }
        #expect(!names.contains("dropped\n"))
    }

    @Test("a descriptor that cannot be watched is an error and leaves no registration")
    func refused() throws {
        let loop = try EpollLoop()
        let error = #expect(throws: KernelError.self) {
            try loop.add(descriptor: -1, events: EpollEvents.readable) { _ in }
        }
        #expect(error?.errno == .badFileDescriptor)
    }
}

private final class SharedCounters: Sendable {
    private let removed = Mutex(false)
    private let late = Mutex(0)

    func count() { if isRemoved { late.withLock { $0 += 1 } } }
    func remove() { removed.withLock { $0 = true } }
    var isRemoved: Bool { removed.withLock { $0 } }
    var lateCalls: Int { late.withLock { $0 } }
}

private final class LoopBox: Sendable {
    private let loop: Mutex<EpollLoop?>
    init(_ loop: EpollLoop) { self.loop = Mutex(loop) }
    func withLoop(_ body: (EpollLoop?) -> Void) { body(loop.withLock { $0 }) }
    func release() { loop.withLock { $0 = nil } }
    var isEmpty: Bool { loop.withLock { $0 == nil } }
}
