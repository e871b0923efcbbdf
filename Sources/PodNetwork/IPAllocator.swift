import CLinux
import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// The addresses of the pods of one node: an ``AddressPool`` for each CIDR in memory, and on disk one file for each
/// address, `<directory>/<ip>`, holding the sandbox it belongs to.
///
/// The file is the truth. It is created exclusively and synced before the address is used, and removed before it can be
/// given out again; so death at any instant leaves an address that nobody uses (freed by ``retain(_:)``) and never one
/// that two use. Its line ends with a newline: a file without is the trace of a death while it was written. Every call
/// blocks on the disk.
final class IPAllocator: Sendable {
    private struct State {
        var pools: [AddressPool]
        /// By sandbox: one address for each pool, in the pools' order.
        var owned: [String: [IPAddress]] = [:]
    }

    private let directory: String
    private let state: Mutex<State>

    /// Reads the allocations of former lives. Half-written files go; files that are not of these CIDRs stay until
    /// ``retain(_:)`` finds their sandbox gone.
    init(cidrs: [CIDR], directory: String) throws(NetworkError) {
        var pools: [AddressPool] = []
        for cidr in cidrs { pools.append(try AddressPool(cidr)) }
        self.directory = directory
        do throws(KernelError) {
            try FileSystem.makeDirectories(directory)
            let owned = try Self.load(directory, into: &pools)
            state = Mutex(State(pools: pools, owned: owned))
        } catch {
            throw .kernel("read the address allocations in \(directory)", error)
        }
    }

    var allocations: [String: [IPAddress]] { state.withLock { $0.owned } }

    func addresses(of sandboxID: String) -> [IPAddress]? { state.withLock { $0.owned[sandboxID] } }

    /// The sandbox's addresses: those it has, or new ones that are on disk when this returns.
    func allocate(sandboxID: String) throws(NetworkError) -> [IPAddress] {
        guard Self.isValid(sandboxID) else {
            throw .invalidConfiguration("sandbox ID \"\(sandboxID)\" must be 1 to 256 printable ASCII characters")
        }
        while true {
            let (addresses, missing) = try reserve(for: sandboxID)
            var written: [IPAddress] = []
            do throws(KernelError) {
                for address in missing {
                    try write(sandboxID, for: address)
                    written.append(address)
                }
                if !missing.isEmpty { try syncDirectory() }
                return addresses
            } catch {
                let taken = missing[written.count]
                giveUp(sandboxID, written: written, missing: missing, keeping: error.errno == .fileExists ? taken : nil)
                // Somebody else's file: the address stays marked, and another one is tried. Each round marks one more.
                if error.errno == .fileExists { continue }
                throw .kernel("record address \(taken) of sandbox \(sandboxID)", error)
            }
        }
    }

    /// Frees the sandbox's addresses, durably. None is fine.
    func free(sandboxID: String) throws(NetworkError) {
        let addresses = state.withLock { $0.owned[sandboxID] } ?? []
        guard !addresses.isEmpty else { return }
        do throws(KernelError) {
            for address in addresses { try Self.remove(path(of: address)) }
            try syncDirectory()
        } catch {
            throw .kernel("free the addresses of sandbox \(sandboxID)", error)
        }
        // Only what no file holds may be given out again.
        state.withLock { state in
            state.owned[sandboxID] = nil
            for index in state.pools.indices { for address in addresses { state.pools[index].free(address) } }
        }
    }

    /// Frees the addresses of every sandbox that is not listed; gives the sandboxes they belonged to.
    func retain(_ sandboxIDs: Set<String>) throws(NetworkError) -> [String] {
        let gone = allocations.keys.filter { !sandboxIDs.contains($0) }.sorted()
        for sandboxID in gone { try free(sandboxID: sandboxID) }
        do throws(KernelError) {
            // Files of CIDRs of former configurations.
            for name in try FileSystem.list(directory) where IPAddress(name) != nil {
                guard let owner = try Self.owner(of: directory + "/" + name), !sandboxIDs.contains(owner) else {
                    continue
                }
                if addresses(of: owner) == nil { try Self.remove(directory + "/" + name) }
            }
        } catch {
            throw .kernel("clean up the address allocations in \(directory)", error)
        }
        return gone
    }

    // MARK: Memory

    private func reserve(
        for sandboxID: String
    ) throws(NetworkError) -> (addresses: [IPAddress], missing: [IPAddress]) {
        let outcome = state.withLock { state -> Result<([IPAddress], [IPAddress]), NetworkError> in
            let present = state.owned[sandboxID] ?? []
            var addresses: [IPAddress] = []
            var missing: [IPAddress] = []
            for index in state.pools.indices {
                let cidr = state.pools[index].cidr
                if let address = present.first(where: cidr.contains) {
                    addresses.append(address)
                } else if let address = state.pools[index].allocate() {
                    addresses.append(address)
                    missing.append(address)
                } else {
                    for address in missing { for other in state.pools.indices { state.pools[other].free(address) } }
                    return .failure(
                        NetworkError(
                            .addressesExhausted,
                            "all \(state.pools[index].capacity) addresses of pod CIDR \(cidr) are in use; "
                                + "use a larger CIDR"
                        ))
                }
            }
            state.owned[sandboxID] = addresses
            return .success((addresses, missing))
        }
        return try outcome.get()
    }

    /// Undoes a reservation of which only `written` reached the disk. `keeping` stays marked: its file is not ours.
    private func giveUp(_ sandboxID: String, written: [IPAddress], missing: [IPAddress], keeping: IPAddress?) {
        // A file that cannot be removed keeps its address marked; retain frees it after the next start.
        let removed = written.filter { address in (try? Self.remove(path(of: address))) != nil }
        let freed = missing.filter { $0 != keeping && (removed.contains($0) || !written.contains($0)) }
        state.withLock { state in
            state.owned[sandboxID]?.removeAll(where: missing.contains)
            if state.owned[sandboxID]?.isEmpty == true { state.owned[sandboxID] = nil }
            for index in state.pools.indices { for address in freed { state.pools[index].free(address) } }
        }
    }

    // MARK: Disk

    private func path(of address: IPAddress) -> String { "\(directory)/\(address)" }

    private static func isValid(_ sandboxID: String) -> Bool {
        (1...256).contains(sandboxID.utf8.count) && sandboxID.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private func write(_ sandboxID: String, for address: IPAddress) throws(KernelError) {
        let path = path(of: address)
        let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do throws(KernelError) {
            try file.writeAll(Array((sandboxID + "\n").utf8))
            try kernelCall("fsync", path) { fsync(file.raw) }
        } catch {
            unlink(path)
            throw error
        }
    }

    private func syncDirectory() throws(KernelError) {
        let opened = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
        try kernelCall("fsync", directory) { fsync(opened.raw) }
    }

    private static func remove(_ path: String) throws(KernelError) {
        if unlink(path) != 0, Errno.current != .noSuchFileOrDirectory { throw KernelError.last("unlink", path) }
    }

    /// The sandbox in an allocation's file; nil when it was not written to its end.
    private static func owner(of path: String) throws(KernelError) -> String? {
        let text = try FileSystem.readText(path, limit: 4096)
        guard text.last == "\n" else { return nil }
        let owner = String(text.dropLast())
        return isValid(owner) ? owner : nil
    }

    private static func load(
        _ directory: String, into pools: inout [AddressPool]
    ) throws(KernelError) -> [String: [IPAddress]] {
        var owned: [String: [IPAddress]] = [:]
        var newest: [Int: (time: Int64, address: IPAddress)] = [:]
        for name in try FileSystem.list(directory) {
            guard let address = IPAddress(name) else { continue }
            let path = directory + "/" + name
            guard let owner = try owner(of: path) else {
                try remove(path)
                continue
            }
            guard let index = pools.firstIndex(where: { $0.cidr.contains(address) }), pools[index].claim(address) else {
                continue
            }
            owned[owner, default: []].append(address)
            let time = modificationNanoseconds(of: path)
            if time >= newest[index]?.time ?? .min { newest[index] = (time, address) }
        }
        for (index, last) in newest { pools[index].resume(after: last.address) }
        return owned.mapValues { $0.sorted() }
    }

    private static func modificationNanoseconds(of path: String) -> Int64 {
        var status = stat()
        guard lstat(path, &status) == 0 else { return 0 }
        return Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    }
}
