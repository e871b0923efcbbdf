/// What a jailed process is to do in the directory that is its root.
struct UnpackRequest: Hashable {
    enum Work: Hashable {
        /// Unpack the layer that comes through its socket.
        case layer(diffID: ContentDigest, hasParent: Bool)
        /// Say what an archive of so many bytes holds, which is asked for piece by piece (``ArchiveMessage``).
        case contents(sizeBytes: Int64)
        /// Say the bytes of those of its entries whose numbers come through the socket first.
        case entries(sizeBytes: Int64)
        /// Try what it must not be able to do, and say what came of it.
        case attempts
    }

    let work: Work
    let limits: UnpackLimits
    /// Begins every message.
    let subject: String

    /// A packet of a local socket holds it with ease.
    static let limitBytes = 16 << 10
    private static let subjectLimitBytes = 8 << 10

    func encoded() -> [UInt8] {
        var encoder = JailEncoder()
        switch work {
        case .layer(let diffID, let hasParent):
            encoder.add(UInt8(1))
            encoder.add(diffID.hexadecimal)
            encoder.add(hasParent)
        case .attempts:
            encoder.add(UInt8(2))
        case .contents(let sizeBytes):
            encoder.add(UInt8(3))
            encoder.add(sizeBytes)
        case .entries(let sizeBytes):
            encoder.add(UInt8(4))
            encoder.add(sizeBytes)
        }
        encoder.add(limits.layerBytes)
        encoder.add(limits.importBytes)
        for limit in [
            limits.layerInodes, limits.pathBytes, limits.pathComponents, limits.extendedAttributeBytes,
            limits.rememberedPathBytes, limits.processorSeconds, limits.stallSeconds, limits.documentBytes,
            limits.archiveEntries,
        ] {
            encoder.add(Int64(limit))
        }
        encoder.add(bytes: subject.utf8.prefix(Self.subjectLimitBytes))
        return encoder.bytes
    }

    init(_ work: Work, limits: UnpackLimits, subject: String) {
        self.work = work
        self.limits = limits
        self.subject = subject
    }

    init(decoding bytes: [UInt8]) throws(JailDecoder.Failure) {
        var decoder = JailDecoder(bytes)
        switch try decoder.integer(UInt8.self) {
        case 1:
            guard let diffID = ContentDigest(hexadecimal: try decoder.text(limit: 64)) else {
                throw decoder.failure("is no digest")
            }
            work = .layer(diffID: diffID, hasParent: try decoder.bool())
        case 2: work = .attempts
        case 3: work = .contents(sizeBytes: try decoder.integer())
        case 4: work = .entries(sizeBytes: try decoder.integer())
        default: throw decoder.failure("is unknown work")
        }
        var limits = UnpackLimits()
        limits.layerBytes = try decoder.integer()
        limits.importBytes = try decoder.integer()
        limits.layerInodes = Int(try decoder.integer(Int64.self))
        limits.pathBytes = Int(try decoder.integer(Int64.self))
        limits.pathComponents = Int(try decoder.integer(Int64.self))
        limits.extendedAttributeBytes = Int(try decoder.integer(Int64.self))
        limits.rememberedPathBytes = Int(try decoder.integer(Int64.self))
        limits.processorSeconds = Int(try decoder.integer(Int64.self))
        limits.stallSeconds = Int(try decoder.integer(Int64.self))
        limits.documentBytes = Int(try decoder.integer(Int64.self))
        limits.archiveEntries = Int(try decoder.integer(Int64.self))
        self.limits = limits
        subject = String(decoding: try decoder.bytes(limit: Self.subjectLimitBytes), as: UTF8.self)
        try decoder.end()
    }
}
