/// What passed through a network interface since it was made.
public struct NetworkInterfaceCounters: Hashable, Sendable {
    public var name: String
    public var receivedBytes: UInt64
    public var receivedPackets: UInt64
    public var receiveErrors: UInt64
    public var receivedDropped: UInt64
    public var sentBytes: UInt64
    public var sentPackets: UInt64
    public var sendErrors: UInt64
    public var sentDropped: UInt64

    public init(
        name: String, receivedBytes: UInt64 = 0, receivedPackets: UInt64 = 0, receiveErrors: UInt64 = 0,
        receivedDropped: UInt64 = 0, sentBytes: UInt64 = 0, sentPackets: UInt64 = 0, sendErrors: UInt64 = 0,
        sentDropped: UInt64 = 0
    ) {
        self.name = name
        self.receivedBytes = receivedBytes
        self.receivedPackets = receivedPackets
        self.receiveErrors = receiveErrors
        self.receivedDropped = receivedDropped
        self.sentBytes = sentBytes
        self.sentPackets = sentPackets
        self.sendErrors = sendErrors
        self.sentDropped = sentDropped
    }

    /// The same cable seen from its other end, which has another name: what one end sent, the other received.
    public func otherEnd(name: String) -> NetworkInterfaceCounters {
        NetworkInterfaceCounters(
            name: name, receivedBytes: sentBytes, receivedPackets: sentPackets, receiveErrors: sendErrors,
            receivedDropped: sentDropped, sentBytes: receivedBytes, sentPackets: receivedPackets,
            sendErrors: receiveErrors, sentDropped: receivedDropped)
    }

    /// All interfaces of the agent's network namespace: one file, however many pods have a cable there.
    public static func all() throws(KernelError) -> [NetworkInterfaceCounters] {
        parse(try FileSystem.read("/proc/net/dev", limit: 16 << 20))
    }

    /// The lines of /proc/net/dev: name, then eight numbers received and eight sent. Others are passed over.
    static func parse(_ bytes: [UInt8]) -> [NetworkInterfaceCounters] {
        bytes.withUnsafeBytes { text in
            text.split(separator: 0x0A).compactMap { line in
                guard let colon = line.lastIndex(of: UInt8(ascii: ":")) else { return nil }
                let name = line[..<colon].drop { $0 == 0x20 }
                let fields = line[(colon + 1)...].split(separator: 0x20)
                guard !name.isEmpty, fields.count >= 16 else { return nil }
                let numbers = fields.compactMap { CgroupFile.number(UnsafeRawBufferPointer(rebasing: $0)) }
                guard numbers.count == fields.count else { return nil }
                return NetworkInterfaceCounters(
                    name: String(decoding: name, as: UTF8.self), receivedBytes: numbers[0],
                    receivedPackets: numbers[1], receiveErrors: numbers[2], receivedDropped: numbers[3],
                    sentBytes: numbers[8], sentPackets: numbers[9], sendErrors: numbers[10], sentDropped: numbers[11])
            }
        }
    }
}
