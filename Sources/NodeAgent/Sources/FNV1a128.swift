/// The 128-bit FNV-1a hash: the same for the same bytes on every machine and in every version of the agent.
///
/// Not cryptographic. It names what local files define; it protects nothing.
struct FNV1a128: Sendable {
    // Offset basis and prime as published with the algorithm: 2^88 + 0x13B.
    private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    private static let prime: UInt128 = 0x0000_0000_0100_0000_0000_0000_0000_013b

    mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt128(byte)
            state = state &* Self.prime
        }
    }

    /// 32 lower-case hexadecimal digits.
    var hexadecimal: String {
        let text = String(state, radix: 16)
        return String(repeating: "0", count: 32 - text.count) + text
    }
}
