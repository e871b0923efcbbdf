import CLinux
import Glibc

extension UnpackedLayer {
    func encode(into encoder: inout JailEncoder) {
        encoder.add(bytes)
        encoder.add(Int64(inodes))
        encoder.add(opaqueRoot)
        for marks in [implicitDirectories, opaqueDirectories] {
            encoder.add(UInt32(clamping: marks.count))
            for (inode, path) in marks {
                encoder.add(inode)
                encoder.add(bytes: path)
            }
        }
        encoder.add(UInt32(clamping: whiteouts.count))
        for path in whiteouts { encoder.add(bytes: path) }
        encoder.add(UInt32(clamping: directoryTimes.count))
        for time in directoryTimes {
            encoder.add(bytes: time.path)
            encoder.add(Int64(time.modified.tv_sec))
            encoder.add(Int32(truncatingIfNeeded: time.modified.tv_nsec))
        }
    }

    /// - Throws: when a number is beyond its limit, or a path could lead anywhere but down.
    init(decoding decoder: inout JailDecoder, limits: UnpackLimits) throws(JailDecoder.Failure) {
        self.init()
        bytes = try decoder.integer()
        guard (0...limits.layerBytes).contains(bytes) else { throw decoder.failure("is no size of a layer") }
        let count = try decoder.integer(Int64.self)
        guard (0...Int64(limits.layerInodes)).contains(count) else { throw decoder.failure("is no number of files") }
        inodes = Int(count)
        opaqueRoot = try decoder.bool()
        implicitDirectories = try Self.marks(&decoder, limits: limits)
        opaqueDirectories = try Self.marks(&decoder, limits: limits)
        for _ in 0..<(try decoder.count()) {
            let path = try Self.path(&decoder, limits: limits)
            guard !path.isEmpty else { throw decoder.failure("is a whiteout of the root") }
            whiteouts.append(path)
        }
        for _ in 0..<(try decoder.count()) {
            let path = try Self.path(&decoder, limits: limits)
            let seconds = try decoder.integer(Int64.self)
            let nanoseconds = try decoder.integer(Int32.self)
            guard (0...999_999_999).contains(nanoseconds) else { throw decoder.failure("is no time") }
            directoryTimes.append(
                DirectoryTime(path: path, modified: timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))))
        }
    }

    private static func marks(
        _ decoder: inout JailDecoder, limits: UnpackLimits
    ) throws(JailDecoder.Failure) -> [UInt64: [UInt8]] {
        var marks: [UInt64: [UInt8]] = [:]
        for _ in 0..<(try decoder.count()) {
            let inode = try decoder.integer(UInt64.self)
            marks[inode] = try path(&decoder, limits: limits)
        }
        return marks
    }

    private static func path(
        _ decoder: inout JailDecoder, limits: UnpackLimits
    ) throws(JailDecoder.Failure) -> [UInt8] {
        let path = try decoder.bytes(limit: limits.pathBytes)
        if path.isEmpty { return path }
        let components = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard components.count <= limits.pathComponents, !path.contains(0) else {
            throw decoder.failure("is too deep a path, or none")
        }
        for component in components {
            guard !component.isEmpty, component.count <= 255, component != [0x2E], component != [0x2E, 0x2E] else {
                throw decoder.failure("is a path that does not only lead down")
            }
        }
        return path
    }
}
