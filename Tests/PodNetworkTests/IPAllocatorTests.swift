import Glibc
import LinuxKernel
import Testing

@testable import PodNetwork

@Suite("The address allocator")
struct IPAllocatorTests {
    private func allocator(_ directory: TemporaryDirectory, _ cidrs: String...) throws -> IPAllocator {
        let parsed = try (cidrs.isEmpty ? ["10.9.0.0/28"] : cidrs).map { try CIDR(parsing: $0) }
        return try IPAllocator(cidrs: parsed, directory: directory.path + "/ipam")
    }

    @Test("a sandbox keeps its addresses over a restart, one of each family")
    func restart() throws {
        let directory = try TemporaryDirectory()
        let first = try allocator(directory, "10.9.0.0/24", "fd09::/64")
        let addresses = try first.allocate(sandboxID: "a")
        #expect(addresses.map(\.description) == ["10.9.0.2", "fd09::2"])
        #expect(try first.allocate(sandboxID: "a") == addresses)
        #expect(try FileSystem.readText(directory.path + "/ipam/10.9.0.2") == "a\n")
        let second = try allocator(directory, "10.9.0.0/24", "fd09::/64")
        #expect(second.addresses(of: "a") == addresses)
        #expect(try second.allocate(sandboxID: "a") == addresses)
        #expect(try second.allocate(sandboxID: "b").map(\.description) == ["10.9.0.3", "fd09::3"])
    }

    @Test("a freed address is gone from the disk and, after a restart too, not the next to be given out")
    func free() throws {
        let directory = try TemporaryDirectory()
        let first = try allocator(directory)
        _ = try first.allocate(sandboxID: "a")
        _ = try first.allocate(sandboxID: "b")
        try first.free(sandboxID: "a")
        try first.free(sandboxID: "a")
        #expect(try FileSystem.list(directory.path + "/ipam") == ["10.9.0.3"])
        #expect(first.addresses(of: "a") == nil)
        #expect(try allocator(directory).allocate(sandboxID: "c").map(\.description) == ["10.9.0.4"])
    }

    @Test("exhaustion is an error that names the CIDR and keeps nothing")
    func exhausted() throws {
        let directory = try TemporaryDirectory()
        let allocator = try allocator(directory, "10.9.0.0/28", "fd09::/64")
        for index in 0..<13 { _ = try allocator.allocate(sandboxID: "s\(index)") }
        let error = #expect(throws: NetworkError.self) { try allocator.allocate(sandboxID: "more") }
        #expect(error?.code == .addressesExhausted)
        #expect(error?.description == "all 13 addresses of pod CIDR 10.9.0.0/28 are in use; use a larger CIDR")
        #expect(allocator.addresses(of: "more") == nil)
        #expect(try FileSystem.list(directory.path + "/ipam").count == 26)
        try allocator.free(sandboxID: "s7")
        #expect(try allocator.allocate(sandboxID: "more").first?.description == "10.9.0.9")
    }

    @Test("a file that another process made is never overwritten")
    func foreign() throws {
        let directory = try TemporaryDirectory()
        let allocator = try allocator(directory)
        try FileSystem.writeAtomically(directory.path + "/ipam/10.9.0.2", Array("other\n".utf8), durable: false)
        #expect(try allocator.allocate(sandboxID: "a").map(\.description) == ["10.9.0.3"])
        #expect(try FileSystem.readText(directory.path + "/ipam/10.9.0.2") == "other\n")
    }

    @Test("a half-written file is freed, and files of other networks go with their sandbox")
    func leftovers() throws {
        let directory = try TemporaryDirectory()
        try FileSystem.makeDirectories(directory.path + "/ipam")
        for (name, text) in [
            ("10.9.0.2", ""), ("10.9.0.3", "torn"), ("10.8.0.9", "old\n"), ("10.8.0.8", "kept\n"), ("note", "x"),
        ] {
            try FileSystem.writeAtomically(directory.path + "/ipam/" + name, Array(text.utf8), durable: false)
        }
        let allocator = try allocator(directory)
        #expect(try allocator.retain(["kept"]) == [])
        #expect(try FileSystem.list(directory.path + "/ipam") == ["10.8.0.8", "note"])
        #expect(try allocator.allocate(sandboxID: "a").map(\.description) == ["10.9.0.2"])
    }

    @Test("a name that is no sandbox's is refused", arguments: ["", "a b", "a\n", String(repeating: "x", count: 257)])
    func badNames(name: String) throws {
        let directory = try TemporaryDirectory()
        let allocator = try allocator(directory)
        #expect(throws: NetworkError.self) { try allocator.allocate(sandboxID: name) }
    }

    /// Death between any two system calls leaves the files in a state that these cover: no file, an empty one, a torn
    /// one, a whole one of a sandbox that nobody knows. The model is the sandboxes alive; what is checked is that no
    /// two have one address, that none loses its own, and that retain leaves exactly theirs.
    @Test(
        "random operations with crashes neither leak nor hand out an address twice", arguments: 0..<12 as Range<UInt64>)
    func crashes(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let directory = try TemporaryDirectory()
        var allocator = try allocator(directory)
        var alive: [String: [IPAddress]] = [:]
        for step in 0..<300 {
            switch random.below(6) {
            case 0, 1:
                let sandbox = "s\(step)"
                if let addresses = try? allocator.allocate(sandboxID: sandbox) { alive[sandbox] = addresses }
            case 2, 3:
                guard let sandbox = alive.keys.sorted().dropFirst(random.below(14)).first else { break }
                try allocator.free(sandboxID: sandbox)
                alive[sandbox] = nil
            case 4:
                try crash(directory, &random, step, alive)
                allocator = try self.allocator(directory)
            default:
                _ = try allocator.retain(Set(alive.keys))
                #expect(allocator.allocations == alive)
                let files = try FileSystem.list(directory.path + "/ipam")
                #expect(Set(files) == Set(alive.values.joined().map(\.description)))
            }
            let all = alive.values.joined()
            #expect(Set(all).count == all.count)
            for (sandbox, addresses) in alive { #expect(allocator.addresses(of: sandbox) == addresses) }
        }
    }

    /// The traces of an allocation that was cut off.
    private func crash(
        _ directory: TemporaryDirectory, _ random: inout SplitMix64, _ step: Int, _ alive: [String: [IPAddress]]
    ) throws {
        let address = "10.9.0.\(2 + random.below(13))"
        let path = directory.path + "/ipam/" + address
        guard !alive.values.joined().contains(where: { $0.description == address }) else { return }
        let traces = ["", "s\(step)", "lost\(step)\n"]
        try FileSystem.writeAtomically(path, Array(traces[random.below(3)].utf8), durable: false)
    }
}
