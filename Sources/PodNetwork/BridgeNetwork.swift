import Glibc
import LinuxKernel
public import Logging
import SystemPackage

/// The built-in pod network: a bridge, a virtual cable for each sandbox, addresses from the node's pod CIDRs, and
/// masquerading out of it. Pods reach each other and the host, and the host reaches pods, without translation.
///
/// It remembers nothing that the kernel and the address files do not know better; a new one on the same configuration,
/// after a crash, goes on where the old one was.
public actor BridgeNetwork: NetworkPlugin {
    private enum State {
        case idle
        case started(BridgeHost, BridgeHost.Bridge, IPAllocator)
    }

    private let configuration: BridgeConfiguration
    private let logger: Logger
    private var state = State.idle

    /// What this host cannot do, as of the last ``start()``.
    public private(set) var shortfalls: [String] = []

    public init(configuration: BridgeConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    public func start() async throws(NetworkError) {
        let allocator: IPAllocator? = if case .started(_, _, let allocator) = state { allocator } else { nil }
        let configuration = configuration
        let outcome = try await KernelThreadPool.shared.run { () throws(NetworkError) in
            try Self.setUp(configuration, allocator)
        }
        shortfalls = outcome.shortfalls
        // Two starts at once (one is waiting above): the first one's allocator has the say about addresses.
        if case .started(_, _, let first) = state {
            state = .started(outcome.host, outcome.bridge, first)
        } else {
            state = .started(outcome.host, outcome.bridge, outcome.allocator)
        }
    }

    public func attach(_ request: AttachRequest) async throws(NetworkError) -> PodNetworkStatus {
        guard case .started(let host, let bridge, let allocator) = state else {
            throw NetworkError(
                .notStarted, "the pod network is not ready; sandbox \(request.sandboxID) cannot be attached yet")
        }
        return try await KernelThreadPool.shared.run { () throws(NetworkError) in
            let addresses = try allocator.allocate(sandboxID: request.sandboxID)
            let status = Self.status(host, request.sandboxID, addresses)
            let attachment = BridgeAttachment(
                host: host, bridge: bridge, hostInterface: status.hostInterface, namespacePath: request.namespacePath,
                addresses: addresses.compactMap { address in
                    host.podCIDRs.first { $0.contains(address) }.map { (address, $0) }
                })
            do throws(KernelError) {
                try attachment.connect()
            } catch {
                // The addresses stay with the sandbox: the next try, or detach, finds them.
                throw .kernel(
                    "attach pod \(request.podNamespace)/\(request.podName) to bridge \(host.configuration.bridge)",
                    error)
            }
            return status
        }
    }

    public func detach(sandboxID: String) async {
        guard case .started(let host, _, let allocator) = state else { return }
        let logger = logger
        let cable = InterfaceNaming.hostInterface(bridge: host.configuration.bridge, sandboxID: sandboxID)
        await KernelThreadPool.shared.run { () in
            // The cable goes with its namespace, which another process may hold open for long: unplugged, it cannot speak with an
            // address that is the next pod's.
            do throws(KernelError) {
                var socket = try host.openSocket()
                try socket.perform(.unplugLink(cable).tolerating(Errno(rawValue: ENODEV)))
            } catch {
                logger.warning("pod not unplugged", metadata: ["interface": "\(cable)", "error": "\(error)"])
            }
            do throws(NetworkError) {
                try allocator.free(sandboxID: sandboxID)
            } catch {
                logger.error(
                    "pod addresses not freed, a later retain tries again",
                    metadata: ["sandbox": "\(sandboxID)", "error": "\(error)"])
            }
        }
    }

    public func status(sandboxID: String) async -> PodNetworkStatus? {
        guard case .started(let host, _, let allocator) = state, let addresses = allocator.addresses(of: sandboxID)
        else {
            return nil
        }
        return Self.status(host, sandboxID, addresses)
    }

    public func retain(sandboxIDs: Set<String>) async {
        guard case .started(_, _, let allocator) = state else { return }
        let logger = logger
        await KernelThreadPool.shared.run { () in
            do throws(NetworkError) {
                for sandboxID in try allocator.retain(sandboxIDs) {
                    logger.info("freed the addresses of a sandbox that is gone", metadata: ["sandbox": "\(sandboxID)"])
                }
            } catch {
                logger.error("pod addresses not cleaned up", metadata: ["error": "\(error)"])
            }
        }
    }

    public func stop(removingBridge: Bool) async {
        let wasStarted = if case .started = state { true } else { false }
        state = .idle
        guard removingBridge else { return }
        let (configuration, logger) = (configuration, logger)
        await KernelThreadPool.shared.run { () in
            // A network that a former life has made goes although this one could not start it: the host may have come to overlap it.
            let host = BridgeHost(configuration: configuration, podCIDRs: [])
            host.removeRules()
            do throws(KernelError) {
                try host.removeBridge()
            } catch {
                logger.error(
                    "bridge not removed", metadata: ["bridge": "\(configuration.bridge)", "error": "\(error)"])
            }
            if wasStarted { return }
            do throws(NetworkError) {
                _ = try IPAllocator(cidrs: [], directory: configuration.stateDirectory).retain([])
            } catch { logger.error("pod addresses not freed", metadata: ["error": "\(error)"]) }
        }
    }

    // MARK: Blocking work

    private struct Outcome: Sendable {
        var host: BridgeHost
        var bridge: BridgeHost.Bridge
        var allocator: IPAllocator
        var shortfalls: [String]
    }

    private static func setUp(
        _ configuration: BridgeConfiguration, _ present: IPAllocator?
    ) throws(NetworkError) -> Outcome {
        let all = try configuration.validated()
        var host = BridgeHost(configuration: configuration, podCIDRs: all)
        var shortfalls: [String] = []
        if all.contains(where: { $0.family == .v6 }), !host.hasIPv6() {
            let remaining = all.filter { $0.family == .v4 }
            guard !remaining.isEmpty else {
                throw .invalidConfiguration("podCIDRs has only \(all[0]), and this host has no IPv6; add an IPv4 CIDR")
            }
            shortfalls.append("this host has no IPv6: pods get no address of \(all[all.count - 1])")
            host = BridgeHost(configuration: configuration, podCIDRs: remaining)
        }
        try host.checkConflicts()
        let allocator: IPAllocator
        if let present {
            allocator = present
        } else {
            allocator = try IPAllocator(cidrs: host.podCIDRs, directory: configuration.stateDirectory)
        }
        let interfaces = allocator.allocations.keys.map {
            InterfaceNaming.hostInterface(bridge: configuration.bridge, sandboxID: $0)
        }
        let bridge = try host.ensureBridge(interfaces: Set(interfaces))
        shortfalls += try host.enableForwarding()
        shortfalls += host.defineRules()
        return Outcome(host: host, bridge: bridge, allocator: allocator, shortfalls: shortfalls)
    }

    private static func status(_ host: BridgeHost, _ sandboxID: String, _ addresses: [IPAddress]) -> PodNetworkStatus {
        let sorted = addresses.sorted()
        let gateway = sorted.first.flatMap { first in host.podCIDRs.first { $0.contains(first) } } ?? host.podCIDRs[0]
        return PodNetworkStatus(
            addresses: sorted, gateway: BridgeHost.gateway(of: gateway),
            interface: BridgeAttachment.podInterface,
            hostInterface: InterfaceNaming.hostInterface(bridge: host.configuration.bridge, sandboxID: sandboxID))
    }
}
