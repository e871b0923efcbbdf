/// Looks over a YAML text before the parser sees it, for what would cost the parser time or stack out of all
/// proportion.
///
/// The parser shares an alias's contents, but it hashes the keys of every mapping and frees what it read recursively: a
/// list used as a key whose elements are aliases of lists of aliases takes time exponential in their number, and a
/// chain of anchors nests as deep as all of its links together. Neither has a use in an API object. What is in strings
/// and comments counts as if it were not, which only makes this stricter.
struct YAMLGuard {
    static let maximumBytes = 32 << 20
    /// Bytes that complex keys may make the parser hash: each may contain all others, or anything aliases expand to.
    static let maximumHashing = 4e9
    /// The parser nests at most 1,000 levels between two anchors, of which at most 60 are maps that are told by
    /// indentation. Together with the next two limits that keeps every chain below 30,000 levels; freeing 40,000 fits
    /// into the 8 MiB of stack that threads have.
    static let maximumChain = 300
    static let shortChain = 10
    static let maximumOpenings = 10_000
    private static let deepIndentation = 60

    /// Aliases of names that an anchor before them has.
    private var aliases = 0
    private var anchors = 0
    private var anchorHashes: Set<UInt64> = []
    private var complexKeys = 0
    /// Lists and maps that can open without a deeper indentation.
    private var openings = 0
    private let size: Int

    init(_ text: UnsafeBufferPointer<UInt8>) {
        size = text.count
        var previous = UInt8(ascii: "\n")
        var hasFlowMap = false
        var lineStart = 0
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                lineStart = index + 1
            case UInt8(ascii: "*"), UInt8(ascii: "&"):
                if Self.startsToken(previous) { countReference(text, index) }
            case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","):
                if byte != UInt8(ascii: ",") { openings += 1 }
                hasFlowMap = hasFlowMap || byte == UInt8(ascii: "{")
                // An entry of a flow map is a key even without a colon.
                if hasFlowMap, byte != UInt8(ascii: "["), Self.isComplexNext(text, index + 1) { complexKeys += 1 }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if Self.isColonNext(text, index + 1) { complexKeys += 1 }
            case UInt8(ascii: "?"):
                if Self.startsToken(previous) {
                    complexKeys += 1
                    openings += 1
                }
            case UInt8(ascii: "-"):
                if Self.startsToken(previous) { openings += 1 }
            default:
                if previous == UInt8(ascii: " "), index - lineStart > Self.deepIndentation { openings += 1 }
            }
            previous = byte
        }
    }

    private mutating func countReference(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) {
        var end = start + 1
        // FNV-1a; two names with one hash count as the same, which is stricter.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        while end < text.count, Self.isName(text[end]) {
            hash = (hash ^ UInt64(text[end])) &* 0x100_0000_01B3
            end += 1
        }
        guard end > start + 1 else { return }
        if text[start] == UInt8(ascii: "&") {
            anchors += 1
            anchorHashes.insert(hash)
        } else if anchorHashes.contains(hash) {
            aliases += 1
            if Self.isColonNext(text, end) { complexKeys += 1 }
        }
    }

    /// The most copies of one thing that the aliases can expand to: on each of some levels, an anchor around an equal
    /// share of them.
    private var expansion: Double {
        var most = 1.0
        for levels in 0..<min(aliases, anchors) {
            var copies = 1.0
            for _ in 0...levels {
                copies *= Double(aliases) / Double(levels + 1)
                if copies > Self.maximumHashing { return copies }
            }
            most = max(most, copies)
        }
        return most
    }

    /// Why the text is refused; nil when it may be parsed.
    var flaw: String? {
        let chain = min(aliases, anchors)
        if chain > Self.maximumChain {
            return "more than \(Self.maximumChain) anchors with aliases"
        }
        if chain > Self.shortChain, openings > Self.maximumOpenings {
            return "more than \(Self.maximumOpenings) lists and maps in a file with more than \(Self.shortChain) "
                + "anchors with aliases; repeat the contents instead"
        }
        // Even a short text takes time for each copy.
        let hashing = Double(max(size, 1024)) * (Double(complexKeys) + (complexKeys > 0 ? expansion : 0))
        if hashing > Self.maximumHashing {
            return "lists, maps or aliases as keys, which would take too long to compare; repeat the contents instead"
        }
        return nil
    }

    private static func startsToken(_ previous: UInt8) -> Bool {
        switch previous {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "["),
            UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"),
            UInt8(ascii: "\""), UInt8(ascii: "'"):
            true
        // The last byte of a line break or mark outside ASCII.
        default: previous >= 0x80
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isColonNext(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        var index = start
        while index < text.count, text[index] == UInt8(ascii: " ") || text[index] == UInt8(ascii: "\t") { index += 1 }
        return index < text.count && text[index] == UInt8(ascii: ":")
    }

    /// Whether a list, a map, an alias, or something in front of one follows.
    private static func isComplexNext(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        // A run of spaces is looked at once per comma or brace in front of it, of which there is one.
        var index = start
        while index < text.count, text[index] <= UInt8(ascii: " ") { index += 1 }
        guard index < text.count else { return false }
        switch text[index] {
        case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "*"), UInt8(ascii: "&"), UInt8(ascii: "!"),
            UInt8(ascii: "#"):
            return true
        default:
            return text[index] >= 0x80
        }
    }
}
