/// The users and groups of an image, parsed from its own `/etc/passwd` and `/etc/group`. Lines that do not fit the
/// format are
/// passed over, as in every C library.
struct UserDatabase {
    struct User {
        let name: Substring
        let uid: UInt32
        let gid: UInt32
        let home: Substring
    }

    struct Group {
        let name: Substring
        let gid: UInt32
        let members: [Substring]
    }

    let users: [User]
    let groups: [Group]

    init(passwd: [UInt8], group: [UInt8]) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 6, !fields[0].isEmpty, let uid = ImageUser.number(fields[2]),
                let gid = ImageUser.number(fields[3])
            else { return nil }
            return User(name: fields[0], uid: uid, gid: gid, home: fields[5])
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, !fields[0].isEmpty, let gid = ImageUser.number(fields[2]) else { return nil }
            return Group(name: fields[0], gid: gid, members: fields.count > 3 ? fields[3].split(separator: ",") : [])
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [[Substring]] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false)
        }
    }
}
