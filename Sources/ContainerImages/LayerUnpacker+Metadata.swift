import CLinux
import Glibc
import LinuxKernel
import SystemPackage

extension LayerUnpacker {
    static func time(_ entry: ArchiveEntry) -> timespec {
        timespec(tv_sec: Int(entry.modifiedSeconds), tv_nsec: min(max(entry.modifiedNanoseconds, 0), 999_999_999))
    }

    /// Owner, extended attributes and mode, in the only order that keeps them: a change of owner clears setuid and
    /// capabilities.
    func setMetadata(_ descriptor: Int32, _ entry: ArchiveEntry, extendedAttributes: Bool) throws {
        let (uid, gid) = try owner(entry)
        try kernelCall("fchown") { fchown(descriptor, uid, gid) }
        if extendedAttributes { try setExtendedAttributes(descriptor, entry) }
        try kernelCall("fchmod") { fchmod(descriptor, mode_t(entry.permissions)) }
    }

    /// Owner and times of a name that is no file or directory, without following it.
    func setOwnerAndTimes(_ directory: Int32, _ path: [CChar], _ entry: ArchiveEntry) throws {
        let (uid, gid) = try owner(entry)
        try kernelCall("fchownat") { fchownat(directory, path, uid, gid, AT_SYMLINK_NOFOLLOW) }
        var times = [Self.time(entry), Self.time(entry)]
        try kernelCall("utimensat") { utimensat(directory, path, &times, AT_SYMLINK_NOFOLLOW) }
        try checkExtendedAttributes(entry)
    }

    private func owner(_ entry: ArchiveEntry) throws(ImageError) -> (uid_t, gid_t) {
        // 4294967295 would mean "leave as it is" to chown(2).
        guard let uid = UInt32(exactly: entry.uid), let gid = UInt32(exactly: entry.gid), uid != .max, gid != .max
        else {
            throw failure(.invalidArchive, entry.path, "has an owner that is not a number from 0 to 4294967294")
        }
        return (uid, gid)
    }

    private func setExtendedAttributes(_ descriptor: Int32, _ entry: ArchiveEntry) throws {
        for attribute in try checkExtendedAttributes(entry) {
            let name = LayerDirectory.terminated(attribute.name)
            try kernelCall("fsetxattr", ImageError.quoted(attribute.name)) {
                CLinux_fsetxattr(descriptor, name, attribute.value, attribute.value.count)
            }
        }
    }

    /// The attributes worth keeping: file capabilities and the user's own. Others describe the machine the image was
    /// built on.
    ///
    /// - Throws: when there are too many, or one would speak to overlayfs.
    @discardableResult
    private func checkExtendedAttributes(_ entry: ArchiveEntry) throws(ImageError) -> [ArchiveEntry.ExtendedAttribute] {
        var total = 0
        var kept: [ArchiveEntry.ExtendedAttribute] = []
        for attribute in entry.extendedAttributes {
            total += attribute.name.count + attribute.value.count
            guard total <= limits.extendedAttributeBytes else {
                throw failure(
                    .limitExceeded, entry.path,
                    "has more than \(limits.extendedAttributeBytes) bytes of extended attributes")
            }
            for reserved in ["trusted.overlay.", "user.overlay."] where attribute.name.starts(with: reserved.utf8) {
                throw failure(
                    .unsafePath, entry.path,
                    "has the extended attribute \(ImageError.quoted(attribute.name)), reserved for overlayfs")
            }
            if attribute.name.starts(with: "user.".utf8) || attribute.name == Array("security.capability".utf8) {
                kept.append(attribute)
            }
        }
        return kept
    }
}
