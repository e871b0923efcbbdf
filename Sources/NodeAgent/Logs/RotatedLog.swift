/// A file that a container's log was written to before it was rotated: `0.log.20260102-150405`, perhaps with a number, and with `.gz`
/// once it is compressed.
struct RotatedLog: Hashable, Sendable {
    static let compressedSuffix = ".gz"

    /// Without the compressed file's suffix.
    let name: String
    let isCompressed: Bool

    var fileName: String { isCompressed ? name + Self.compressedSuffix : name }

    /// The old files of the log `log` among the names of its directory, oldest first.
    ///
    /// A file that is there plain and compressed is just being compressed: the plain one is the complete one.
    static func find(_ log: String, in names: [String]) -> [RotatedLog] {
        var found: [String: RotatedLog] = [:]
        for fileName in names {
            guard let file = RotatedLog(fileName, of: log) else { continue }
            if found[file.name]?.isCompressed != false { found[file.name] = file }
        }
        // The suffixes sort like the times they are: a number comes after none.
        return found.values.sorted { $0.name < $1.name }
    }

    /// The names of the logs that have old files here.
    static func logs(in names: [String]) -> Set<String> {
        Set(
            names.compactMap { name in
                guard let dot = name.firstIndex(of: "."), UInt32(name[..<dot]) != nil else { return nil }
                let log = name[..<dot] + ".log"
                return RotatedLog(name, of: String(log)) == nil ? nil : String(log)
            })
    }

    private init?(_ fileName: String, of log: String) {
        guard fileName.hasPrefix(log + ".") else { return nil }
        isCompressed = fileName.hasSuffix(Self.compressedSuffix)
        name = isCompressed ? String(fileName.dropLast(Self.compressedSuffix.count)) : fileName
        guard Self.isSuffix(name.dropFirst(log.count + 1)) else { return nil }
    }

    /// `YYYYMMDD-HHMMSS` and perhaps `.NNNNNN`.
    private static func isSuffix(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let time = parts.first, parts.count <= 2, parts.dropFirst().allSatisfy({ isNumber($0, digits: 6) }) else {
            return false
        }
        let halves = time.split(separator: "-", omittingEmptySubsequences: false)
        return halves.count == 2 && isNumber(halves[0], digits: 8) && isNumber(halves[1], digits: 6)
    }

    private static func isNumber(_ text: Substring, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
