import LinuxKernel

/// Which processors are threads of one core, and which cores are on one socket.
public struct CPUTopology: Hashable, Sendable {
    public struct Place: Hashable, Sendable {
        public var socket: Int
        /// Unique on its socket.
        public var core: Int

        public init(socket: Int, core: Int) {
            self.socket = socket
            self.core = core
        }
    }

    public var places: [Int: Place]

    public init(places: [Int: Place]) {
        self.places = places
    }

    public var all: CPUSet { CPUSet(places.keys) }

    /// The online processors of this machine. One whose place the kernel does not tell is a core of its own.
    public static func discover(directory: String = "/sys/devices/system/cpu") -> CPUTopology {
        let online = (try? FileSystem.readText(directory + "/online", limit: 64 << 10)).flatMap { CPUSet(parsing: $0) }
        var places: [Int: Place] = [:]
        for number in online?.sorted ?? Array(0..<ProcFS.processorCount()) {
            func value(_ name: String) -> Int? {
                let path = "\(directory)/cpu\(number)/topology/\(name)"
                return (try? FileSystem.readText(path, limit: 64)).flatMap { Int($0.filter { $0.isNumber }) }
            }
            places[number] = Place(socket: value("physical_package_id") ?? 0, core: value("core_id") ?? number)
        }
        return CPUTopology(places: places)
    }

    /// Of these processors, those on each socket, and those of each core; the lowest first.
    func sockets(of processors: CPUSet) -> [CPUSet] { groups(of: processors) { [$0.socket] } }

    func cores(of processors: CPUSet) -> [CPUSet] { groups(of: processors) { [$0.socket, $0.core] } }

    private func groups(of processors: CPUSet, by key: (Place) -> [Int]) -> [CPUSet] {
        let numbers = processors.sorted.filter { places[$0] != nil }
        let groups = Dictionary(grouping: numbers) { number in places[number].map(key) ?? [number] }
        return groups.values.map { CPUSet($0) }.sorted { ($0.sorted.first ?? 0) < ($1.sorted.first ?? 0) }
    }
}
