/// The two messages of `grpc.health.v1.Health/Check`, in gRPC's framing: a flag, four bytes of length, a protobuf.
enum GRPCHealthMessage {
    /// `message HealthCheckRequest { string service = 1; }`
    static func request(service: String) -> [UInt8] {
        var message: [UInt8] = []
        if !service.isEmpty {
            message.append(0x0A)
            appendVarint(UInt64(service.utf8.count), to: &message)
            message += service.utf8
        }
        let length = UInt32(clamping: message.count)
        return [0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + message
    }

    /// Reads `message HealthCheckResponse { ServingStatus status = 1; }`.
    ///
    /// - Returns: the status, 0 if it is not written; nil when these bytes are no such message.
    static func status(ofResponse bytes: [UInt8]) -> UInt64? {
        guard bytes.count >= 5, bytes[0] == 0 else { return nil }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count - 5 >= length else { return nil }
        var message = bytes[5..<5 + length]
        var status: UInt64 = 0
        while !message.isEmpty {
            guard let tag = takeVarint(from: &message) else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = takeVarint(from: &message) else { return nil }
                if tag >> 3 == 1 { status = value }
            case 1:
                guard message.count >= 8 else { return nil }
                message = message.dropFirst(8)
            case 2:
                guard let length = takeVarint(from: &message), length <= UInt64(message.count) else { return nil }
                message = message.dropFirst(Int(length))
            case 5:
                guard message.count >= 4 else { return nil }
                message = message.dropFirst(4)
            default: return nil
            }
        }
        return status
    }

    private static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func takeVarint(from bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= shift < 64 ? UInt64(byte & 0x7F) << shift : 0
            if byte < 0x80 { return value }
        }
        return nil
    }
}
