import LinuxKernel

/// Who an image's USER string, or a pod's `runAsUser`, is inside the image.
public struct ImageUser: Hashable, Sendable {
    public let uid: UInt32
    public let gid: UInt32
    /// From the image's `/etc/group`, sorted, without `gid`; empty when a group was named beside the user.
    public let supplementaryGroups: [UInt32]
    /// Home directory, `/` when the image does not say.
    public let home: String

    public init(uid: UInt32, gid: UInt32, supplementaryGroups: [UInt32], home: String) {
        self.uid = uid
        self.gid = gid
        self.supplementaryGroups = supplementaryGroups
        self.home = home
    }

    /// Larger databases are an attack (CVE-2024-9676, CVE-2025-4437).
    private static let databaseLimitBytes = 10 << 20

    /// Resolves `uid`, `uid:gid`, `user`, `user:group` and mixtures; empty is root.
    ///
    /// - Parameter lowerDirectories: the image's layers, topmost first, or `["/"]`. Files are opened inside them only.
    /// - Throws: ``ImageError/Code/invalidUser`` for what only looks like a number, ``ImageError/Code/notFound`` for a
    ///   name the
    ///   image does not have, ``ImageError/Code/invalidArchive`` or ``ImageError/Code/storage`` for databases that
    ///   cannot be read.
    public static func resolve(user text: String, lowerDirectories: [String]) throws(ImageError) -> ImageUser {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let who = try Identity(parts.first.map { $0.isEmpty ? "0" : $0 } ?? "0", of: text)
        let group = try parts.count > 1 ? Identity(parts[1], of: text) : nil
        let database = try load(lowerDirectories)
        let user: UserDatabase.User?
        switch who {
        case .number(let uid): user = database.users.first { $0.uid == uid }
        case .name(let name):
            user = database.users.first { $0.name == name }
            guard user != nil else {
                throw ImageError(.notFound, "user \(ImageError.quoted(text)): the image's /etc/passwd has no such name")
            }
        }
        let uid: UInt32 = if case .number(let number) = who { number } else { user?.uid ?? 0 }
        let home = user.map { String($0.home) }.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/"
        switch group {
        case .number(let gid):
            return ImageUser(uid: uid, gid: gid, supplementaryGroups: [], home: home)
        case .name(let name):
            guard let found = database.groups.first(where: { $0.name == name }) else {
                throw ImageError(.notFound, "user \(ImageError.quoted(text)): the image's /etc/group has no such group")
            }
            return ImageUser(uid: uid, gid: found.gid, supplementaryGroups: [], home: home)
        case nil:
            let gid = user?.gid ?? 0
            let memberships = database.groups.filter { group in
                user.map { group.members.contains($0.name) && group.gid != gid } ?? false
            }
            return ImageUser(uid: uid, gid: gid, supplementaryGroups: Set(memberships.map(\.gid)).sorted(), home: home)
        }
    }

    /// The user ID when the user part is a number: what `runAsNonRoot` can be checked against without opening the
    /// image.
    ///
    /// - Returns: `nil` when it is a name.
    /// - Throws: ``ImageError/Code/invalidUser`` as ``resolve(user:lowerDirectories:)``.
    public static func numericUID(_ text: String) throws(ImageError) -> UInt32? {
        let user = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        switch try Identity(user.isEmpty ? "0" : user, of: text) {
        case .number(let uid): return uid
        case .name: return nil
        }
    }

    private enum Identity {
        case number(UInt32)
        case name(Substring)

        /// A string of digits is a number or an error, never a name: else a hostile /etc/passwd could make 4294967296
        /// root
        /// (CVE-2024-40635). What another tool might read as a number (`-1`, `+0`, `0x0`) is refused as well.
        init(_ text: Substring, of whole: String) throws(ImageError) {
            func invalid(_ reason: String) -> ImageError {
                ImageError(.invalidUser, "user \(ImageError.quoted(whole)): \(reason)")
            }
            if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                guard let number = ImageUser.number(text) else {
                    throw invalid("a numeric ID must be a decimal number from 0 to 4294967294 without leading zeros")
                }
                self = .number(number)
                return
            }
            guard text.utf8.count <= 256 else { throw invalid("a name is longer than 256 bytes") }
            guard
                text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") })
            else {
                throw invalid("a name cannot have spaces, control characters, \":\" or \"/\"")
            }
            guard let first = text.first, first != "-", first != "+" else {
                throw invalid("a name cannot begin with a sign")
            }
            let prefix = text.prefix(2).lowercased()
            guard
                !["0x", "0o", "0b"].contains(prefix)
                    || !text.dropFirst(2).utf8.allSatisfy({ ContentDigest.isDigit($0 | 0x20) })
            else { throw invalid("a numeric ID must be decimal") }
            self = .name(text)
        }
    }

    /// Strict decimal from 0 to 2^32 − 2: the last value means "unchanged" to the kernel.
    static func number(_ text: Substring) -> UInt32? {
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0"), let value = UInt32(text), value != .max
        else { return nil }
        return value
    }

    private static func load(_ directories: [String]) throws(ImageError) -> UserDatabase {
        let root = try storing("image") { () throws(KernelError) in try LayeredDirectory.root(of: directories) }
        return UserDatabase(
            passwd: try root.readFile("/etc/passwd", limitBytes: databaseLimitBytes) ?? [],
            group: try root.readFile("/etc/group", limitBytes: databaseLimitBytes) ?? [])
    }
}
