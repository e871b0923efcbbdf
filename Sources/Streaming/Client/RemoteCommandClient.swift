internal import Glibc
internal import KubernetesAPI
internal import NIOCore
internal import NIOWebSocket

/// The client's side of exec and attach over a node's own socket: version 5 of the remote command protocol in a WebSocket.
///
/// One thread that waits for whatever comes first: most of these programs live for milliseconds, and event loops would take
/// longer to start than the command to run.
public struct RemoteCommandClient {
    private static let headLimit = 64 << 10
    private static let refusalLimit = 64 << 10
    /// Of input that the node has not taken yet, and of one read.
    private static let inputLimit = 64 << 10
    private static let readSize = 32 << 10
    /// What a pipe that has room takes at once (pipe(7), PIPE_BUF): more would wait, and nothing else would go on.
    private static let pipeRoom = 4096
    private static let ended = StreamingError("the node ended the session")

    private enum Phase {
        case asking(UpgradeAnswer)
        case refused(UpgradeAnswer)
        case open
    }

    private let socket: Int32
    private var input: Int32
    private let output: Int32
    private let error: Int32
    private let terminal: TerminalWatch?

    private var phase = Phase.asking(UpgradeAnswer(limit: headLimit))
    private var codec = WebSocketClientCodec()
    private var status: RemoteCommandStatus?
    /// What the node has not taken yet.
    private var toNode = ByteBuffer()
    /// What was received last and is not written yet. While there is any, nothing more is received: whoever is slow to take it slows
    /// the other side down.
    private var toReader: (descriptor: Int32, bytes: ByteBuffer)?

    /// The descriptors stay the caller's own.
    /// - Parameters:
    ///   - socket: connected to the node.
    ///   - input: of whatever kind, as the others; -1 sends none.
    ///   - terminal: the one that is handed through.
    public init(socket: Int32, input: Int32, output: Int32, error: Int32, terminal: TerminalWatch? = nil) {
        self.socket = socket
        self.input = input
        self.output = output
        self.error = error
        self.terminal = terminal
    }

    /// Runs the session to its end.
    /// - Parameter target: path and query at the node.
    /// - Throws: when the node ends it before, or refuses; in words for a person.
    public mutating func run(_ target: String) throws(StreamingError) -> RemoteCommandStatus {
        // A reader that is gone is told as any other error: the terminal is to be put right first.
        signal(SIGPIPE, SIG_IGN)
        toNode = Self.head(target)
        while true {
            try takeMessages()
            if let status, toReader == nil { return status }
            try waitAndMove()
        }
    }

    static func head(_ target: String) -> ByteBuffer {
        // A nonce, no secret: it shows that the answer is to this request.
        let key = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        return ByteBuffer(
            string: "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Base64.encode(key))\r\n"
                + "Sec-WebSocket-Protocol: \(RemoteCommandProtocol.webSocket5.name)\r\n\r\n")
    }

    // MARK: Waiting

    /// Waits until one of the descriptors can go on, and does what all that can ask for.
    private mutating func waitAndMove() throws(StreamingError) {
        var isOpen = false
        if case .open = phase { isOpen = true }
        let mayReceive = toReader == nil
        var socketEvents = mayReceive ? POLLIN : 0
        if toNode.readableBytes > 0 { socketEvents |= POLLOUT }
        // A negative descriptor is not looked at: an end is told whether asked for or not, and would be told again and again.
        var wanted = [
            pollfd(fd: socketEvents == 0 ? -1 : socket, events: Int16(socketEvents), revents: 0),
            pollfd(
                fd: isOpen && toNode.readableBytes < Self.inputLimit ? input : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isOpen ? terminal?.descriptor ?? -1 : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: toReader?.descriptor ?? -1, events: Int16(POLLOUT), revents: 0),
        ]
        guard poll(&wanted, nfds_t(wanted.count), -1) >= 0 else {
            guard errno == EINTR else { throw StreamingError("waiting for the node: errno \(errno)") }
            return
        }
        if wanted[3].revents != 0 { try write() }
        if wanted[2].revents != 0, let size = terminal?.next() { send(.resize, size.document) }
        if wanted[1].revents != 0 { readInput() }
        if wanted[0].revents & Int16(POLLOUT) != 0 { try sendToNode() }
        // What is there already comes first: it may hold the status.
        if mayReceive, wanted[0].revents & ~Int16(POLLOUT) != 0 { try receive() }
    }

    // MARK: To the node

    private mutating func send(_ channel: RemoteCommandChannel, _ bytes: ByteBuffer) {
        send(WebSocketClientCodec.binary(channel.message(bytes), mask: .random()))
    }

    private mutating func send(_ frame: ByteBuffer) { toNode.writeImmutableBuffer(frame) }

    private mutating func readInput() {
        var (bytes, code) = (ByteBuffer(), Int32(0))
        let descriptor = input
        let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.readSize) { target in
            let count = Glibc.read(descriptor, target.baseAddress, Self.readSize)
            code = count < 0 ? errno : 0
            return max(0, count)
        }
        if count > 0 { return send(.standardInput, bytes) }
        // Another reader of the same terminal, or a signal, may have been faster.
        if code == EINTR || code == EAGAIN { return }
        input = -1
        let close = ByteBuffer(bytes: [RemoteCommandChannel.closeNumber, RemoteCommandChannel.standardInput.rawValue])
        send(WebSocketClientCodec.binary(close, mask: .random()))
    }

    private mutating func sendToNode() throws(StreamingError) {
        let socket = socket
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        let count = toNode.withUnsafeReadableBytes { Glibc.send(socket, $0.baseAddress, $0.count, flags) }
        if count > 0 {
            toNode.moveReaderIndex(forwardBy: count)
            if toNode.readableBytes == 0 { toNode.clear() }
        } else if count < 0, errno != EAGAIN, errno != EINTR {
            // What it said before it went is still to be read, if only why.
            toNode.clear()
            input = -1
        }
    }

    // MARK: From the node

    private mutating func receive() throws(StreamingError) {
        var (bytes, code) = (ByteBuffer(), Int32(0))
        let socket = socket
        let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.readSize) { target in
            let count = recv(socket, target.baseAddress, Self.readSize, Int32(MSG_DONTWAIT))
            code = count < 0 ? errno : 0
            return max(0, count)
        }
        if code == EAGAIN || code == EINTR { return }
        switch phase {
        case .open:
            guard count > 0 else { throw Self.ended }
            codec.append(bytes)
        case .asking(var answer):
            guard count > 0 else { throw Self.ended }
            try answer.append(bytes)
            phase = .asking(answer)
            if answer.isWhole { try open(answer) }
        case .refused(var answer):
            guard count > 0 else { throw Self.refusal(answer) }
            answer.appendRest(bytes)
            try refuse(answer)
        }
    }

    private mutating func open(_ answer: UpgradeAnswer) throws(StreamingError) {
        guard answer.status == 101 else { return try refuse(answer) }
        phase = .open
        codec.append(answer.rest)
        if let size = terminal?.next() { send(.resize, size.document) }
    }

    /// Once all of the reason is there.
    private mutating func refuse(_ answer: UpgradeAnswer) throws(StreamingError) {
        guard answer.rest.readableBytes < min(answer.bodyLength ?? .max, Self.refusalLimit) else {
            throw Self.refusal(answer)
        }
        phase = .refused(answer)
    }

    private static func refusal(_ answer: UpgradeAnswer) -> StreamingError {
        let text = String(buffer: answer.rest).split(separator: "\n").joined(separator: " ")
        return StreamingError(text.isEmpty ? "the node answers \(answer.status)" : text)
    }

    /// Takes the messages that are there, up to the first that has to be written, or the end.
    private mutating func takeMessages() throws(StreamingError) {
        while toReader == nil, status == nil, let message = try codec.next() {
            switch message {
            case .close: throw Self.ended
            case .ping(let bytes): send(WebSocketClientCodec.pong(bytes, mask: .random()))
            case .binary(let bytes): take(bytes)
            }
        }
    }

    private mutating func take(_ message: ByteBuffer) {
        var message = message
        guard let number = message.readInteger(as: UInt8.self), let channel = RemoteCommandChannel(rawValue: number),
            message.readableBytes > 0
        else { return }
        switch channel {
        case .standardOutput: toReader = (output, message)
        case .standardError: toReader = (error, message)
        // An empty one says that the session is open.
        case .error: status = RemoteCommandStatus(document: message)
        case .standardInput, .resize: break
        }
    }

    /// Gives whoever reads what goes without waiting.
    private mutating func write() throws(StreamingError) {
        guard let (descriptor, pending) = toReader else { return }
        var bytes = pending
        var facts = stat()
        let isFile = fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
        let count = bytes.withUnsafeReadableBytes {
            Glibc.write(descriptor, $0.baseAddress, isFile ? $0.count : min($0.count, Self.pipeRoom))
        }
        guard count >= 0 || errno == EAGAIN || errno == EINTR else {
            throw StreamingError("the output cannot be written: errno \(errno)")
        }
        bytes.moveReaderIndex(forwardBy: max(0, count))
        toReader = bytes.readableBytes > 0 ? (descriptor, bytes) : nil
    }
}

/// What happens to a terminal that is handed through.
public struct TerminalWatch {
    /// Readable when something has happened.
    let descriptor: Int32
    /// Its size, first and whenever that may have changed.
    let next: () -> TerminalSize?

    public init(descriptor: Int32, next: @escaping () -> TerminalSize?) {
        self.descriptor = descriptor
        self.next = next
    }
}
