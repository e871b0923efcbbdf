import LinuxKernel
import SystemPackage

/// An archive that a jailed process parses, as the agent sees it: it gives the process the bytes that it asks for, and takes what it
/// finds. Every claim is checked; nothing of the archive is interpreted here.
final class JailedArchive {
    /// What it has found.
    enum Finding {
        case entry(Int)
        /// Bytes of the entry, valid until the next call; none at its end.
        case data(UnsafeRawBufferPointer)
        /// The last.
        case reply(UnpackReply)
    }

    private let file: ArchiveFile
    private let child: JailedProcess
    private let limits: UnpackLimits
    private let subject: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: ArchiveMessage.dataLimitBytes, alignment: 16)

    /// - Parameter directory: an empty one, which becomes the process's root.
    init(
        _ file: ArchiveFile, _ work: UnpackRequest.Work, jail: UnpackJail, directory: String, limits: UnpackLimits,
        subject: String
    ) throws(ImageError) {
        child = try jail.start(UnpackRequest(work, limits: limits, subject: subject), directory: directory)
        self.file = file
        self.limits = limits
        self.subject = subject
    }

    deinit { buffer.deallocate() }

    /// Ends the process.
    func end() throws(ImageError) {
        try storing(subject) { () throws(KernelError) in try child.end() }
    }

    /// Says numbers of entries that are wanted.
    func want(_ numbers: Set<Int>) throws(ImageError) {
        var encoder = JailEncoder()
        encoder.add(UInt32(clamping: numbers.count))
        for number in numbers { encoder.add(UInt32(clamping: number)) }
        try send(encoder.bytes)
    }

    func next() throws(ImageError) -> Finding {
        while true {
            guard let message = try message() else { return .reply(try reply()) }
            switch message {
            case .read(let offsetBytes): try answer(offsetBytes)
            case .entry(let number): return .entry(number)
            case .data(let count):
                let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
                try receive(bytes)
                return .data(UnsafeRawBufferPointer(bytes))
            }
        }
    }

    private var firstOfReply: UInt8?

    /// `nil` where its reply begins.
    private func message() throws(ImageError) -> ArchiveMessage? {
        let head = UnsafeMutableRawBufferPointer(rebasing: buffer[..<ArchiveMessage.encodedBytes])
        try receive(UnsafeMutableRawBufferPointer(rebasing: head[..<1]))
        guard ArchiveMessage.begins(with: head[0]) else {
            firstOfReply = head[0]
            return nil
        }
        try receive(UnsafeMutableRawBufferPointer(rebasing: head[1...]))
        do throws(JailDecoder.Failure) { return try ArchiveMessage(decoding: Array(head)) } catch {
            throw wrongAnswer("\(error)")
        }
    }

    func wrongAnswer(_ reason: String) -> ImageError {
        ImageError(.invalidArchive, "\(subject): the unpacker gives a wrong answer: \(reason)")
    }

    private func reply() throws(ImageError) -> UnpackReply {
        let rest = try UnpackJail.inTime(limits, subject) { () throws(KernelError) in
            try child.reply(limit: ArchiveContents.limitBytes(limits))
        }
        return try UnpackJail.decoded([firstOfReply].compactMap(\.self) + rest, limits: limits, subject: subject)
    }

    private func answer(_ offsetBytes: Int64) throws(ImageError) {
        let chunk = try file.read(at: min(offsetBytes, file.sizeBytes))
        var encoder = JailEncoder()
        encoder.add(UInt32(clamping: chunk.count))
        try send(encoder.bytes)
        // One that wants no more ends, which is seen where it is heard.
        _ = try UnpackJail.inTime(limits, subject) { () throws(KernelError) in try child.send(chunk) }
    }

    private func send(_ bytes: [UInt8]) throws(ImageError) {
        _ = try UnpackJail.inTime(limits, subject) { () throws(KernelError) in try child.send(bytes) }
    }

    private func receive(_ bytes: UnsafeMutableRawBufferPointer) throws(ImageError) {
        let isWhole = try UnpackJail.inTime(limits, subject) { () throws(KernelError) in try child.receive(bytes) }
        guard isWhole else { throw UnpackJail.withoutAnswer(subject) }
    }
}

/// Wanted entries as a jailed process parses them.
final class JailedEntries: EntryStream {
    private let archive: JailedArchive
    private var wanted: Set<Int>
    private var isInEntry = false

    /// `archive` was asked for ``UnpackRequest/Work/entries(sizeBytes:)``.
    init(_ archive: JailedArchive, wanted: Set<Int>) throws(ImageError) {
        self.archive = archive
        self.wanted = wanted
        try archive.want(wanted)
    }

    func nextEntry() throws(ImageError) -> Int? {
        if isInEntry { try drain() }
        switch try archive.next() {
        case .entry(let number):
            guard wanted.remove(number) != nil else { throw archive.wrongAnswer("entry \(number) was not asked for") }
            isInEntry = true
            return number
        case .data: throw archive.wrongAnswer("data of no entry")
        case .reply(.entries): return nil
        case .reply(let reply): throw failure(reply)
        }
    }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        guard isInEntry else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        switch try archive.next() {
        case .data(let bytes):
            isInEntry = !bytes.isEmpty
            return bytes
        case .entry: throw archive.wrongAnswer("an entry within another")
        case .reply(let reply): throw failure(reply)
        }
    }

    private func failure(_ reply: UnpackReply) -> ImageError {
        if case .failure(let error) = reply { return error }
        return archive.wrongAnswer("it is one to something else")
    }
}
