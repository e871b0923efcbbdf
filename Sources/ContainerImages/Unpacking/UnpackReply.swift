/// What a jailed process says in the end. Whoever took it over by the bytes it reads may say anything here: it is decoded strictly, and
/// what it claims of the layer names only what is inside the layer's directory.
enum UnpackReply {
    case layer(UnpackedLayer)
    case failure(ImageError)
    case attempts([JailAttempt])
    case contents(ArchiveContents)
    /// All wanted entries have been said that there are.
    case entries

    private static let messageLimitBytes = 4 << 10
    private static let attemptLimit = 100

    /// The most bytes of a reply: what the unpacker may remember, and some more for everything else.
    static func limitBytes(_ limits: UnpackLimits) -> Int { limits.rememberedPathBytes + 64 << 10 }

    func encoded() -> [UInt8] {
        var encoder = JailEncoder()
        switch self {
        case .layer(let layer):
            encoder.add(UInt8(1))
            layer.encode(into: &encoder)
        case .failure(let error):
            encoder.add(UInt8(2))
            encoder.add(error.code.description)
            encoder.add(bytes: error.message.utf8.prefix(Self.messageLimitBytes))
        case .attempts(let attempts):
            encoder.add(UInt8(3))
            encoder.add(UInt32(attempts.count))
            for attempt in attempts {
                encoder.add(attempt.name)
                encoder.add(attempt.errno)
            }
        case .contents(let contents):
            encoder.add(UInt8(4))
            contents.encode(into: &encoder)
        case .entries: encoder.add(UInt8(5))
        }
        return encoder.bytes
    }

    init(decoding bytes: [UInt8], limits: UnpackLimits, subject: String) throws(JailDecoder.Failure) {
        var decoder = JailDecoder(bytes)
        switch try decoder.integer(UInt8.self) {
        case 1: self = .layer(try UnpackedLayer(decoding: &decoder, limits: limits))
        case 2: self = .failure(try Self.failure(&decoder, subject: subject))
        case 3:
            let count = try decoder.count()
            guard count <= Self.attemptLimit else { throw decoder.failure("has \(count) attempts") }
            var attempts: [JailAttempt] = []
            for _ in 0..<count {
                attempts.append(
                    JailAttempt(name: Self.printable(try decoder.bytes(limit: 200)), errno: try decoder.integer()))
            }
            self = .attempts(attempts)
        case 4: self = .contents(try ArchiveContents(decoding: &decoder, limits: limits, subject: subject))
        case 5: self = .entries
        default: throw decoder.failure("is an unknown reply")
        }
        try decoder.end()
    }

    private static func failure(_ decoder: inout JailDecoder, subject: String) throws(JailDecoder.Failure) -> ImageError
    {
        guard let code = ImageError.Code(ofUnpacking: try decoder.text(limit: 40)) else {
            throw decoder.failure("is no error of unpacking")
        }
        let message = printable(try decoder.bytes(limit: messageLimitBytes))
        return ImageError(code, message.hasPrefix(subject) ? message : "\(subject): \(message)")
    }

    /// One line, whatever the bytes are.
    private static func printable(_ bytes: [UInt8]) -> String {
        String(
            String.UnicodeScalarView(
                String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: "?"
                    default: scalar
                    }
                }))
    }
}
