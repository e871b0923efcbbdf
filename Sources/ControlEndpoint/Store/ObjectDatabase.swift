internal import Crypto
internal import FoundationEssentials  // GRDB takes blobs as Foundation's Data.
internal import GRDB
internal import Glibc
internal import KubernetesAPI
internal import LinuxKernel

/// The SQLite file below the store: one connection, which does every write and every checkpoint, in WAL mode with an
/// fsync before each answer. Only ``ResourceStore`` uses it; reads happen once, at start.
struct ObjectDatabase: Sendable {
    /// "SWLT", so that a file of another program is never taken for ours.
    static let applicationID: Int64 = 0x5357_4C54
    static let schemaVersion: Int64 = 1

    /// Bytes that the log and the file can grow by on a full disk, so that what frees space (a deletion, and what the
    /// node tells of it) is still taken. SQLite starts its log over after 1000 pages of 4 KiB; a batch may exceed that.
    static let reservedLogBytes: Int64 = 6 << 20
    static let reservedFileBytes: Int64 = 1 << 20
    /// With less than this free the disk counts as full: the reserve is for small changes alone then.
    static let shortageBytes: UInt64 = 1 << 20

    /// One row to write or remove.
    enum Row: Sendable {
        case put(StoredObject)
        case remove(ObjectKey)
    }

    /// Everything the file holds.
    struct Contents: Sendable {
        var objects: [StoredObject] = []
        /// The last resource version given out.
        var resourceVersion: Int64 = 1
        /// Those whose values an earlier release wrote in the clear.
        var unsealed: [StoredObject] = []
    }

    let path: String
    private let queue: DatabaseQueue
    private let seal: ObjectSeal

    /// Opens or creates the file, checks that it is ours and undamaged, and takes it for this process alone.
    init(path: String, seal: ObjectSeal) throws(StoreError) {
        self.path = path
        self.seal = seal
        // SQLite gives its side files the mode of the main one, so the secrets inside are the owner's only from the
        // first byte.
        // Closed before SQLite opens the file: closing it later would drop SQLite's locks (fcntl(2)).
        do throws(KernelError) {
            let file = try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
            // A disk without the room, or a file system that cannot: then there is no reserve.
            try? FileSystem.reserve(file, bytes: Self.reservedFileBytes)
        } catch {
            throw StoreError.cannotOpen(path: path, reason: "\(error.errno)")
        }
        var configuration = Configuration()
        configuration.label = "swiftlet.store"
        configuration.busyMode = .immediateError
        configuration.prepareDatabase { database in
            // Exclusive first: with it the WAL index lives in our memory and a second process is refused at once.
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { try Self.prepare($0, path: path) }
        } catch {
            throw Self.storeError(error, path: path, opening: true)
        }
        reserveLog()
    }

    private func reserveLog() {
        // SQLite holds no lock on the log itself.
        if let log = try? OwnedDescriptor.open(path + "-wal", O_RDWR) {
            try? FileSystem.reserve(log, bytes: Self.reservedLogBytes)
        }
    }

    /// Whether the disk is full but for the reserve.
    var isShortOfSpace: Bool { (try? FileSystem.freeBytes(path)).map { $0 < Self.shortageBytes } ?? false }

    private static func prepare(_ database: Database, path: String) throws {
        let identifier = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let tables = try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if identifier == 0, version == 0, tables == 0 {
            try database.inTransaction(.immediate) {
                try database.execute(
                    sql: """
                        CREATE TABLE objects (
                            key TEXT PRIMARY KEY NOT NULL, uid TEXT NOT NULL, resource_version INTEGER NOT NULL,
                            checksum BLOB NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
                        CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;
                        INSERT INTO meta VALUES ('resource_version', 1);
                        PRAGMA application_id = \(applicationID);
                        PRAGMA user_version = \(schemaVersion);
                        """)
                return .commit
            }
            return
        }
        guard identifier == applicationID else {
            throw StoreError.wrongFile(path: path, reason: "it belongs to another program")
        }
        guard version == schemaVersion else {
            throw StoreError.wrongFile(
                path: path, reason: "it has format \(version), this release knows \(schemaVersion)")
        }
        let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
        guard verdict == "ok" else { throw StoreError.corrupted(path: path, reason: verdict) }
    }

    /// Reads every object; a row whose checksum or JSON is wrong fails the whole load.
    func load() throws(StoreError) -> Contents {
        do {
            return try queue.writeWithoutTransaction { database in
                var contents = Contents()
                contents.resourceVersion =
                    try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'resource_version'") ?? 1
                let rows = try GRDB.Row.fetchCursor(
                    database, sql: "SELECT key, uid, resource_version, checksum, value FROM objects")
                while let row = try rows.next() {
                    let (object, isSealed) = try decode(row, limit: contents.resourceVersion)
                    contents.objects.append(object)
                    if !isSealed, ObjectSeal.covers(object.key.resource) { contents.unsealed.append(object) }
                }
                return contents
            }
        } catch {
            throw Self.storeError(error, path: path, opening: true)
        }
    }

    /// Writes the objects once more, sealed, and the file anew, so that none of its pages has them in the clear.
    func sealAnew(_ objects: [StoredObject], resourceVersion: Int64) throws(StoreError) {
        do {
            try queue.writeWithoutTransaction { database in
                try commit(objects.map(Row.put), resourceVersion: resourceVersion, in: database)
                try database.execute(sql: "VACUUM")
                _ = try GRDB.Row.fetchAll(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        } catch { throw Self.storeError(error, path: path, opening: true) }
        reserveLog()
    }

    private func decode(_ row: GRDB.Row, limit: Int64) throws -> (StoredObject, isSealed: Bool) {
        let keyText = String.fromDatabaseValue(row["key"]) ?? ""
        guard let key = ObjectKey(path: keyText),
            let uid = String.fromDatabaseValue(row["uid"]),
            let version = Int64.fromDatabaseValue(row["resource_version"]), version <= limit,
            let checksum = Data.fromDatabaseValue(row["checksum"]), let blob = Data.fromDatabaseValue(row["value"]),
            case let stored = Array(blob), checksum == Self.checksum(stored)
        else { throw StoreError.corrupted(path: path, reason: "the row of \(keyText) does not match its checksum") }
        let isSealed = ObjectSeal.isSealed(stored)
        let json: [UInt8]
        do { json = isSealed ? try seal.open(stored, of: key) : stored } catch {
            throw StoreError.corrupted(
                path: path, reason: "\(keyText) was sealed with another key than pki/secrets.key")
        }
        guard (try? JSONValue(parsing: json)) != nil else {
            throw StoreError.corrupted(path: path, reason: "the row of \(keyText) is no JSON")
        }
        let object = StoredObject(key: key, uid: uid, resourceVersion: version, json: json)
        return (object, isSealed)
    }

    /// Runs `body` on the connection's own thread, never on a thread of the concurrency pool.
    func perform(_ body: @escaping @Sendable (Database) -> Void) {
        queue.asyncWriteWithoutTransaction(body)
    }

    /// The same at once, for whoever is alone with the file.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try queue.writeWithoutTransaction(body)
    }

    /// Writes rows and the last resource version in one transaction, on disk when this returns.
    func commit(_ rows: [Row], resourceVersion: Int64, in database: Database) throws(StoreError) {
        do {
            try database.inTransaction(.immediate) {
                for row in rows {
                    switch row {
                    case .put(let object):
                        // The checksum is of what is stored: a digest of a secret would tell a guess from a hit.
                        let stored =
                            ObjectSeal.covers(object.key.resource)
                            ? try seal.seal(object.json, of: object.key) : object.json
                        try database.cachedStatement(
                            sql: "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)"
                        ).execute(arguments: [
                            object.key.path, object.uid, object.resourceVersion,
                            Self.checksum(stored), Data(stored),
                        ])
                    case .remove(let key):
                        try database.cachedStatement(sql: "DELETE FROM objects WHERE key = ?")
                            .execute(arguments: [key.path])
                    }
                }
                try database.cachedStatement(sql: "UPDATE meta SET value = ? WHERE key = 'resource_version'")
                    .execute(arguments: [resourceVersion])
                return .commit
            }
        } catch {
            if database.isInsideTransaction { try? database.rollback() }
            throw Self.storeError(error, path: path, opening: false)
        }
    }

    func close() throws(StoreError) {
        do { try queue.close() } catch { throw Self.storeError(error, path: path, opening: false) }
    }

    /// Half of a SHA-256: guards against rotten bytes, which SQLite's own check does not see inside a value.
    private static func checksum(_ bytes: [UInt8]) -> Data {
        Data(SHA256.hash(data: bytes).prefix(16))
    }

    private static func storeError(_ error: any Error, path: String, opening: Bool) -> StoreError {
        if let known = error as? StoreError { return known }
        guard let failure = error as? DatabaseError else {
            return .writeFailed(path: path, reason: String(describing: error))
        }
        let reason = failure.message ?? "SQLite error \(failure.resultCode.rawValue)"
        switch failure.resultCode {
        case .SQLITE_FULL: return .full(path: path)
        case .SQLITE_NOTADB: return .wrongFile(path: path, reason: reason)
        case .SQLITE_CORRUPT: return .corrupted(path: path, reason: reason)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .inUse(path: path)
        default: return opening ? .cannotOpen(path: path, reason: reason) : .writeFailed(path: path, reason: reason)
        }
    }
}
