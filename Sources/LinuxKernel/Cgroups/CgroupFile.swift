import Glibc
import SystemPackage

/// Reading the kernel's small cgroup files: open, one read, close, no string made.
///
/// The kernel renders such a file in one piece, so one read with enough room is a consistent and complete view.
enum CgroupFile {
    /// `memory.stat`, the longest, has some 4 KiB.
    private static let capacity = 32 << 10

    /// Runs `body` on the content. `nil` when the file is not there: the controller is missing, this kernel does not
    /// know the file, or the cgroup was removed meanwhile (ENODEV).
    static func read<Value>(
        _ path: String, in directory: Int32 = AT_FDCWD, _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(KernelError) -> Value? {
        let raw: Int32
        do {
            raw = try kernelCall("open", path) { openat(directory, path, O_RDONLY | O_CLOEXEC) }
        } catch {
            if isAbsent(error.errno) { return nil }
            throw error
        }
        let file = OwnedDescriptor(owning: raw)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 8)
        defer { buffer.deallocate() }
        do {
            let count = try kernelCall("read", path) { Glibc.read(file.raw, buffer.baseAddress, capacity) }
            return body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } catch {
            if isAbsent(error.errno) { return nil }
            throw error
        }
    }

    /// The file or its cgroup is gone, or the file exists and the kernel does not support it here.
    static func isAbsent(_ errno: Errno) -> Bool {
        errno == .noSuchFileOrDirectory || errno.rawValue == ENODEV || errno == .notSupported
    }

    /// A file with one number; `nil` also for `max`.
    static func readNumber(_ path: String, in directory: Int32 = AT_FDCWD) throws(KernelError) -> UInt64? {
        try read(path, in: directory) { bytes in number(bytes) } ?? nil
    }

    /// A file with words.
    static func readWords(_ path: String) throws(KernelError) -> [String]? {
        try read(path) { bytes in
            String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init)
        }
    }

    /// The number at the start of `bytes`; `nil` when there is none or it does not fit.
    static func number(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        for byte in bytes {
            guard byte >= 0x30, byte <= 0x39 else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 0x30))
            if overflow || carry { return nil }
            value = sum
            digits += 1
        }
        return digits > 0 ? value : nil
    }

    /// Visits the `key number` lines of a flat keyed file; other lines are passed over.
    static func forEachEntry(_ bytes: UnsafeRawBufferPointer, _ visit: (Key, UInt64) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            if let space = bytes[start..<end].firstIndex(of: 0x20),
                let value = number(UnsafeRawBufferPointer(rebasing: bytes[(space + 1)..<end]))
            {
                visit(Key(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<space])), value)
            }
            start = end + 1
        }
    }

    /// A key in place, compared with literals without making a string; valid only during the visit.
    struct Key {
        let bytes: UnsafeRawBufferPointer

        static func ~= (pattern: StaticString, key: Key) -> Bool {
            key.bytes.count == pattern.utf8CodeUnitCount
                && key.bytes.elementsEqual(
                    UnsafeBufferPointer(start: pattern.utf8Start, count: pattern.utf8CodeUnitCount))
        }
    }

    /// Names of the cgroups directly below an open directory, sorted.
    static func childNames(of directory: borrowing OwnedDescriptor) throws(KernelError) -> [String] {
        // A directory stream of its own: a duplicate would share its offset with other readers.
        let copy = try directory.open(".", O_RDONLY | O_DIRECTORY)
        guard let stream = fdopendir(copy.raw) else { throw KernelError.last("fdopendir") }
        _ = copy.release()
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
