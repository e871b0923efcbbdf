import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite struct InotifyTests {
    @Test("changes of a watched directory arrive in order with their names, and closing ends the stream")
    func directory() async throws {
        let tree = try TemporaryTree()
        let loop = try EpollLoop()
        let inotify = try Inotify(loop: loop)
        let watch = try inotify.watch(tree.path)
        _ = try tree.directory("made")
        try FileSystem.removeTree(tree.path + "/made")
        var iterator = inotify.events.makeAsyncIterator()
        let created = await iterator.next()
        #expect(created?.name == "made" && created?.watch == watch && (created?.mask ?? 0) & UInt32(IN_CREATE) != 0)
        let deleted = await iterator.next()
        #expect(deleted?.name == "made" && (deleted?.mask ?? 0) & UInt32(IN_DELETE) != 0)
        inotify.unwatch(watch)
        let ignored = await iterator.next()
        #expect(ignored?.isIgnored == true)
        inotify.close()
        #expect(await iterator.next() == nil)
        loop.stop()
    }

    @Test("a consumer that falls behind finds an overflow as the newest event", .timeLimit(.minutes(5)))
    func overflow() async throws {
        let tree = try TemporaryTree()
        let loop = try EpollLoop()
        let inotify = try Inotify(loop: loop, eventLimit: 2)
        let watch = try inotify.watch(tree.path)
        for index in 0..<20 { _ = try tree.directory("d\(index)") }
        inotify.unwatch(watch)
        var iterator = inotify.events.makeAsyncIterator()
        // However the reads fell: all arrive, or an overflow does.
        var names = 0
        var sawOverflow = false
        while let event = await iterator.next() {
            if event.isOverflow { sawOverflow = true }
            if !event.name.isEmpty { names += 1 }
            if sawOverflow || (event.isIgnored && names == 20) { break }
        }
        #expect(sawOverflow || names == 20)
        inotify.close()
        loop.stop()
    }

    @Test("an absent path is an error")
    func absent() throws {
        let loop = try EpollLoop()
        let inotify = try Inotify(loop: loop)
        let error = #expect(throws: KernelError.self) { try inotify.watch("/nonexistent/path") }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }

    @Test("events are decoded one after another; a torn one at the end is left out")
    func parse() {
        func event(_ watch: Int32, _ mask: UInt32, _ name: [UInt8]) -> [UInt8] {
            withUnsafeBytes(of: (watch, mask, UInt32(9), UInt32(name.count))) { Array($0) } + name
        }
        let bytes = event(1, 0x100, Array("ab".utf8) + [0, 0]) + event(-1, UInt32(IN_Q_OVERFLOW), [])
        let expected = [
            InotifyEvent(watch: 1, mask: 0x100, cookie: 9, name: "ab"),
            InotifyEvent(watch: -1, mask: UInt32(IN_Q_OVERFLOW), cookie: 9),
        ]
        #expect(Inotify.parse(bytes[...]) == expected)
        #expect(Inotify.parse((bytes + event(2, 1, [65, 0, 0, 0]).dropLast())[...]) == expected)
        #expect(expected[1].isOverflow)
    }
}
