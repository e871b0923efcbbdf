import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// Which images there are: `<root>/index.json`, and one record per image below `<root>/images/` to rebuild it from.
///
/// Every change writes the records first and the index last, each durably: the index is the commit.
struct ImageIndex: Sendable {
    private let path: String
    private let recordsDirectory: String
    private static let version: Int64 = 1
    private static let limitBytes = 64 << 20

    init(root: String) {
        path = root + "/index.json"
        recordsDirectory = root + "/images"
    }

    func prepare() throws(ImageError) {
        try storing("image index") { () throws(KernelError) in try FileSystem.makeDirectories(recordsDirectory) }
    }

    /// Reads the index. A damaged one is moved aside to `index.json.corrupt-N`, and the records are read instead, as
    /// they are when
    /// the index is gone.
    ///
    /// - Returns: the records, where a damaged index went, and whether the index itself was read (or nothing was ever
    ///   stored).
    func load() throws(ImageError) -> (records: [ImageRecord], quarantined: String?, sound: Bool) {
        let bytes: [UInt8]?
        do {
            bytes = try FileSystem.read(path, limit: Self.limitBytes)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory: bytes = nil
            case .isDirectory, .fileTooLarge: bytes = []
            default: throw ImageError(.storage, "image index: \(error)")
            }
        }
        guard let bytes else {
            let records = try storedRecords()
            return (records, nil, records.isEmpty)
        }
        if let records = Self.parse(bytes) { return (records, nil, true) }
        let quarantine = try quarantine()
        return (try storedRecords(), quarantine, false)
    }

    private static func parse(_ bytes: [UInt8]) -> [ImageRecord]? {
        guard let value = try? JSONValue(parsing: bytes), value["version"]?.intValue == version,
            let items = value["images"]?.arrayValue
        else { return nil }
        let records = items.compactMap { ImageRecord($0) }
        guard records.count == items.count, Set(records.map(\.id)).count == records.count else { return nil }
        return records
    }

    private func quarantine() throws(ImageError) -> String {
        var number = 1
        while FileSystem.exists("\(path).corrupt-\(number)") { number += 1 }
        let target = "\(path).corrupt-\(number)"
        _ = try storing("image index") { () throws(KernelError) in
            try kernelCall("rename", path) { rename(path, target) }
        }
        return target
    }

    private func storedRecords() throws(ImageError) -> [ImageRecord] {
        try storing("image records") { () throws(KernelError) in
            try FileSystem.list(recordsDirectory).compactMap { name in
                guard name.hasSuffix(".json"), let digest = ContentDigest(hexadecimal: name.dropLast(5)),
                    let bytes = try? FileSystem.read(recordsDirectory + "/" + name),
                    let value = try? JSONValue(parsing: bytes),
                    let record = ImageRecord(value), record.id == digest
                else { return nil }
                return record
            }
        }
    }

    /// Makes `records` the content, durably; records of other images are removed.
    func store(_ records: [ImageRecord]) throws(ImageError) {
        try storing("image index") { () throws(KernelError) in
            for record in records {
                let file = recordPath(record.id)
                let bytes = record.json.serialized()
                if let stored = try? FileSystem.read(file), stored == bytes { continue }
                try FileSystem.writeAtomically(file, bytes)
            }
            let sorted = records.sorted { $0.id.hexadecimal < $1.id.hexadecimal }
            let index: JSONValue = ["version": .integer(Self.version), "images": .array(sorted.map(\.json))]
            try FileSystem.writeAtomically(path, index.serialized())
        }
        try removeRecords(except: records.map(\.id))
    }

    /// Removes the records of all other images, which a lost index would bring back; gives how many there were.
    @discardableResult
    func removeRecords(except ids: some Sequence<ContentDigest>) throws(ImageError) -> Int {
        try storing("image records") { () throws(KernelError) in
            let kept = Set(ids.map { $0.hexadecimal + ".json" })
            let others = try FileSystem.list(recordsDirectory).filter { !kept.contains($0) }
            for name in others { try FileSystem.removeTree(recordsDirectory + "/" + name) }
            return others.count
        }
    }

    private func recordPath(_ id: ContentDigest) -> String { "\(recordsDirectory)/\(id.hexadecimal).json" }
}
