/// The huge pages of one size that the kernel keeps, see hugetlbpage of the kernel's documentation.
public struct HugePagePool: Hashable, Sendable {
    public let pageBytes: Int64
    /// Pages set aside by the administrator.
    public let pageCount: Int64
    /// Pages the kernel may add when those are used up.
    public let surplusPageCount: Int64

    public init(pageBytes: Int64, pageCount: Int64, surplusPageCount: Int64 = 0) {
        self.pageBytes = pageBytes
        self.pageCount = pageCount
        self.surplusPageCount = surplusPageCount
    }

    /// Bytes set aside; saturates.
    public var bytes: Int64 {
        let (bytes, overflow) = pageBytes.multipliedReportingOverflow(by: pageCount)
        return overflow ? .max : bytes
    }

    /// Whether any process can get such a page.
    public var isUsable: Bool { pageCount > 0 || surplusPageCount > 0 }

    /// Of the size in the names of cgroup files: `64KB`, `2MB`, `1GB`.
    public var cgroupName: String {
        if pageBytes >= 1 << 30 { return "\(pageBytes >> 30)GB" }
        return pageBytes >= 1 << 20 ? "\(pageBytes >> 20)MB" : "\(pageBytes >> 10)KB"
    }

    /// The size in bytes of a directory `hugepages-2048kB`; nil for another name.
    static func pageBytes(ofDirectory name: String) -> Int64? {
        guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
            let kibibytes = Int64(name.dropFirst("hugepages-".count).dropLast(2)), kibibytes > 0
        else { return nil }
        let (bytes, overflow) = kibibytes.multipliedReportingOverflow(by: 1024)
        return overflow ? nil : bytes
    }

    /// Every size this kernel has, the smallest first; none without huge pages.
    ///
    /// - Parameter directory: another place for tests.
    public static func discover(directory: String = "/sys/kernel/mm/hugepages") -> [HugePagePool] {
        let names = (try? FileSystem.list(directory)) ?? []
        func count(_ path: String) -> Int64 {
            (try? CgroupFile.readNumber(path)).flatMap(\.self).map { Int64(clamping: $0) } ?? 0
        }
        return names.compactMap { name in
            pageBytes(ofDirectory: name).map { bytes in
                HugePagePool(
                    pageBytes: bytes, pageCount: count("\(directory)/\(name)/nr_hugepages"),
                    surplusPageCount: count("\(directory)/\(name)/nr_overcommit_hugepages"))
            }
        }.sorted { $0.pageBytes < $1.pageBytes }
    }
}
