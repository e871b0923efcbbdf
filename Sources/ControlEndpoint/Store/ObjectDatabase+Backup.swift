internal import FoundationEssentials  // GRDB takes blobs as Foundation's Data.
internal import GRDB
internal import Glibc
internal import LinuxKernel

/// Copies of the database: taken while it is in use, and made ready to take its place.
extension ObjectDatabase {
    /// What the versions of a restored store begin with beyond the last it knew: clients may have seen versions that were given
    /// out after the backup, and those must never mean something else.
    static let versionsLeftOut: Int64 = 1 << 30

    /// Of the file with what its log will bring; 0 when SQLite does not say.
    func bytes(in database: Database) -> Int64 {
        let sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        return (try? Int64.fetchOne(database, sql: sql)) ?? 0
    }

    /// Writes everything as it is between two transactions into a new file, on disk when this returns.
    func copy(to destination: String, in database: Database) throws(StoreError) {
        do {
            try DirectoryChange.remove(destination)
            // SQLite gives the copy the mode that the process's mask leaves: the directory is the owner's alone.
            try database.execute(sql: "VACUUM INTO ?", arguments: [destination])
            let file = try OwnedDescriptor.open(destination, O_RDWR)
            let raw = file.raw
            try kernelCall("fchmod", destination) { fchmod(raw, 0o600) }
            try DirectoryChange.sync(file, destination)
        } catch { throw StoreError.writeFailed(path: destination, reason: "\(error)") }
    }

    /// Skips the versions that may have been given out since the backup was taken.
    func skipVersions() throws(StoreError) {
        do {
            try write { database in
                try database.execute(
                    sql: "UPDATE meta SET value = value + ? WHERE key = 'resource_version'",
                    arguments: [Self.versionsLeftOut])
                _ = try GRDB.Row.fetchAll(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        } catch { throw StoreError.writeFailed(path: path, reason: "\(error)") }
    }
}
