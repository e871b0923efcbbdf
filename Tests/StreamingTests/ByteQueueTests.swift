import NIOCore
import Testing

@testable import Streaming

struct ByteQueueTests {
    @Test("who puts in more than the limit waits until some is taken out")
    func limit() async {
        let queue = ByteQueue(limit: 10_000)
        async let all: Void = {
            for _ in 0..<100 { await queue.push(ByteBuffer(repeating: 7, count: 5000)) }
            queue.finish()
        }()
        var (count, largest) = (0, 0)
        while let bytes = await queue.pop() {
            count += bytes.readableBytes
            largest = max(largest, queue.waiting)
        }
        await all
        #expect(count == 500_000)
        #expect(largest <= 15_000, "the limit, and the one piece that goes beyond it")
    }

    @Test("single bytes are kept together")
    func small() async {
        let queue = ByteQueue(limit: 10_000)
        for number in 0..<5000 { await queue.push(ByteBuffer(bytes: [UInt8(number & 255)])) }
        queue.finish()
        var (pieces, bytes) = (0, [UInt8]())
        while let piece = await queue.pop() {
            pieces += 1
            bytes.append(contentsOf: piece.readableBytesView)
        }
        #expect(pieces <= 2)
        #expect(bytes == (0..<5000).map { UInt8($0 & 255) })
    }

    @Test("after an abort there is nothing, and nobody waits")
    func abort() async {
        let queue = ByteQueue(limit: 1)
        async let waits: Void = queue.push(ByteBuffer(string: "more than one"))
        queue.abort()
        await waits
        await queue.push(ByteBuffer(string: "late"))
        #expect(queue.isAborted)
        #expect(await queue.pop() == nil)
    }

    @Test("a reader that is cancelled gets nothing more")
    func cancelled() async {
        let queue = ByteQueue(limit: 1)
        let result = await withTaskGroup(of: ByteBuffer?.self) { group in
            group.addTask { await queue.pop() }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(result == nil)
    }
}
