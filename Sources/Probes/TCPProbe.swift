import NIOCore

/// Opens a connection; that it opens is success.
struct TCPProbe {
    let group: any EventLoopGroup

    func run(_ address: ProbeAddress, timeout: Duration) async -> ProbeOutcome {
        do {
            try await ProbeConnection.exchange(with: address, on: group, timeout: timeout) { _, opened, _ in
                opened.succeed(())
            }
            return .success(message: "")
        } catch {
            return .failure(message: ProbeConnectionText.describe(error, address: address))
        }
    }
}
