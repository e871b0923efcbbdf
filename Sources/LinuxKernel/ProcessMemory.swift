internal import CLinux
internal import Glibc

/// What this process keeps of memory that it does not need any more.
public enum ProcessMemory {
    /// Arenas of the allocator: one for each of few processors; each keeps what was once needed at the same time.
    private static let arenaLimit: Int32 = 2
    /// Larger blocks, such as the answer to a large list, go back to the kernel when they are freed.
    private static let mappingThreshold: Int32 = 256 << 10

    /// Settles how the allocator works; before there is a second thread.
    public static func limitArenas() {
        _ = CLinux_limit_arenas(arenaLimit)
        _ = CLinux_set_mapping_threshold(mappingThreshold)
    }

    /// Pages that are mapped into this process now, those of files included, in bytes.
    public static var residentBytes: Int? {
        guard let text = try? FileSystem.readText("/proc/self/statm"),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Gives free memory back, and the pages of the program itself that only its start needed: those that are needed again
    /// come from the page cache.
    public static func release() {
        _ = CLinux_trim_heap()
        guard let maps = try? FileSystem.readText("/proc/self/maps", limit: 4 << 20),
            let program = FileSystem.linkTarget("/proc/self/exe")
        else { return }
        for range in ProgramPages.ranges(in: maps, of: program) {
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
            // Never written to, so nothing is lost; a kernel that does not want to leaves them.
            _ = madvise(start, Int(range.count), MADV_DONTNEED)
        }
    }
}

/// The parts of a process's map that hold the program's code as it is in its file.
enum ProgramPages {
    /// - Parameter maps: `/proc/PID/maps`.
    /// - Returns: executable mappings that nobody may write to.
    static func ranges(in maps: String, of program: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }) == program else {
                return nil
            }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1] else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
