internal import Synchronization

/// Hands out the addresses of the service network. The state is rebuilt from the stored services at start.
final class ServiceAddressAllocator: Sendable {
    private struct State {
        var used: Set<UInt32> = []
        var next: UInt32
    }

    private let network: UInt32
    /// Addresses in the network.
    private let size: UInt32
    private let state: Mutex<State>

    /// Nil unless `cidr` is an IPv4 network between /8 and /30.
    init?(cidr: String) {
        let parts = cidr.split(separator: "/")
        guard parts.count == 2, let base = Self.number(String(parts[0])), let prefix = UInt32(parts[1]),
            (8...30).contains(prefix)
        else { return nil }
        size = 1 << (32 - prefix)
        network = base & ~(size - 1)
        // The first address is the API's own; a few after it stay free for well-known services.
        state = Mutex(State(next: min(10, size / 2)))
    }

    /// The address of the service `kubernetes`.
    var first: String { Self.text(network + 1) }

    func allocate() -> String? {
        state.withLock { state in
            for _ in 0..<size {
                let offset = state.next
                state.next = state.next + 1 < size - 1 ? state.next + 1 : 1
                if offset > 0, state.used.insert(offset).inserted { return Self.text(network + offset) }
            }
            return nil
        }
    }

    /// Takes one given address; false when it is taken or not of this network.
    func reserve(_ address: String) -> Bool {
        guard let offset = offset(address) else { return false }
        return state.withLock { $0.used.insert(offset).inserted }
    }

    func release(_ address: String) {
        guard let offset = offset(address) else { return }
        state.withLock { _ = $0.used.remove(offset) }
    }

    private func offset(_ address: String) -> UInt32? {
        guard let number = Self.number(address), number > network, number < network + (size - 1) else { return nil }
        return number - network
    }

    private static func number(_ text: String) -> UInt32? {
        guard let bytes = CertificateProfile.addressBytes(text), bytes.count == 4 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func text(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { String(number >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
