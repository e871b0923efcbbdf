import ContainerRuntime
import Glibc
import KubernetesAPI
import LinuxKernel
import NIOCore
import NIOHTTP1
import NodeAgent
import Streaming
import Synchronization

/// `/exec`, `/attach` and `/portForward` of the node's API, over SPDY/3.1 and WebSocket.
struct NodeStreams: UpgradeResponder {
    /// Sessions open at a time, of one pod and of the node.
    static let podLimit = 64
    static let nodeLimit = 256

    let agent: NodeAgent
    let host: LocalPodHost
    /// Nil for the local socket, which only root can open.
    let access: NodeAccess?
    let connections: ConnectionBudget
    let sessions: SessionCount

    func respond(to request: UpgradeRequest, _ exchange: UpgradeExchange) async {
        do throws(NodeStreamError) {
            // Before the path is looked at: a stranger learns nothing of what there is.
            try await checkAccess(request, exchange)
            guard let path = request.pathSegments, let action = path.first else {
                throw NodeStreamError(400, "the path holds an invalid segment")
            }
            switch (action, path.count) {
            // Without a container: the pod's own choice. Kubelet has no such path; our own client saves a question by it.
            case ("exec", 3): try await execute(request, exchange, path[1], path[2], nil, nil)
            case ("exec", 4): try await execute(request, exchange, path[1], path[2], nil, path[3])
            case ("exec", 5): try await execute(request, exchange, path[1], path[2], path[3], path[4])
            case ("attach", 4): try await attach(request, exchange, path[1], path[2], nil, path[3])
            case ("attach", 5): try await attach(request, exchange, path[1], path[2], path[3], path[4])
            case ("portForward", 3): try await forward(request, exchange, path[1], path[2], nil)
            case ("portForward", 4): try await forward(request, exchange, path[1], path[2], path[3])
            default: throw NodeStreamError(404, "404 page not found")
            }
        } catch { await exchange.refuse(status: error.status, error.message) }
    }

    private func checkAccess(_ request: UpgradeRequest, _ exchange: UpgradeExchange) async throws(NodeStreamError) {
        guard let access else { return }
        let verdict = await access.decide(
            NodeAction(method: request.method, path: request.target.prefix { $0 != "?" }),
            certificateDER: await exchange.connection.peerCertificateDER(),
            authorization: request.headers["authorization"].first)
        switch verdict {
        case .allowed: return
        case .refused(let status, let message): throw NodeStreamError(status, message)
        }
    }

    // MARK: Commands

    private func execute(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, _ namespace: String, _ pod: String, _ uid: String?,
        _ container: String?
    ) async throws(NodeStreamError) {
        let command = try commandRequest(request)
        guard !command.command.isEmpty else { throw NodeStreamError(400, "no command: give at least one command=") }
        let (podUID, instance) = try await running(namespace, pod, uid, container)
        let (version, headers, framing) = try await negotiate(request, exchange)
        guard let ticket = sessions.take(podUID) else { throw .tooMany }
        defer { sessions.giveBack(ticket) }
        let runtime = host.runtime
        guard let channel = try? await exchange.accept(headers, framing: framing) else { return }
        await RemoteCommandServer.serve(channel, command, version: version) { () throws(StreamingError) in
            do throws(RuntimeError) {
                let execution = try await runtime.startRemote(
                    command.command, in: instance.id, streams: RemoteStreams(command))
                return RemoteProcess(execution, runtime)
            } catch { throw StreamingError(error.message) }
        }
    }

    private func attach(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, _ namespace: String, _ pod: String, _ uid: String?,
        _ container: String
    ) async throws(NodeStreamError) {
        let command = try commandRequest(request)
        let (podUID, instance) = try await running(namespace, pod, uid, container)
        if command.hasInput, !instance.config.keepsInput {
            throw NodeStreamError(400, "container \"\(container)\" has no standard input: it needs stdin: true")
        }
        let (version, headers, framing) = try await negotiate(request, exchange)
        guard let ticket = sessions.take(podUID) else { throw .tooMany }
        defer { sessions.giveBack(ticket) }
        let (runtime, hasInput) = (host.runtime, command.hasInput)
        guard let channel = try? await exchange.accept(headers, framing: framing) else { return }
        await RemoteCommandServer.serve(channel, command, version: version) { () throws(StreamingError) in
            do throws(RuntimeError) {
                let attachment = try await runtime.attach(to: instance.id, hasInput: hasInput)
                return RemoteProcess(attachment, instance.id, runtime)
            } catch { throw StreamingError(error.message) }
        }
    }

    private func commandRequest(_ request: UpgradeRequest) throws(NodeStreamError) -> RemoteCommandRequest {
        do throws(StreamingError) { return try RemoteCommandRequest(query: request.query) } catch {
            throw NodeStreamError(400, error.message)
        }
    }

    private func negotiate(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange
    ) async throws(NodeStreamError) -> (RemoteCommandProtocol, HTTPHeaders, UpgradeExchange.Framing) {
        let offered = request.offeredProtocols
        guard let version = RemoteCommandProtocol.choose(offered: offered, isWebSocket: request.isWebSocket) else {
            let known = RemoteCommandProtocol.allCases.filter { $0.isWebSocket == request.isWebSocket }.map(\.name)
            throw .unknownProtocol(offered, known)
        }
        let (headers, framing) = try await self.headers(request, exchange, protocolName: version.name)
        return (version, headers, framing)
    }

    private func headers(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, protocolName: String
    ) async throws(NodeStreamError) -> (HTTPHeaders, UpgradeExchange.Framing) {
        guard request.isWebSocket else {
            return (
                [
                    "Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocolName,
                ], .bytes
            )
        }
        do throws(StreamingError) {
            return (try await exchange.webSocketHeaders(for: request, protocolName: protocolName), .webSocketMessages)
        } catch { throw NodeStreamError(400, error.message) }
    }

    // MARK: Ports

    private func forward(
        _ request: UpgradeRequest, _ exchange: UpgradeExchange, _ namespace: String, _ pod: String, _ uid: String?
    ) async throws(NodeStreamError) {
        let (podUID, _) = try await find(namespace, pod, uid)
        guard let sandbox = await host.runtime.readySandbox(ofPod: podUID) else {
            throw NodeStreamError(400, "pod \(namespace)/\(pod) is not running")
        }
        let wanted = request.isWebSocket ? PortForwardSession.tunnelProtocolName : PortForwardSession.protocolName
        let offered = request.offeredProtocols
        guard offered.contains(wanted) else { throw .unknownProtocol(offered, [wanted]) }
        let (headers, framing) = try await headers(request, exchange, protocolName: wanted)
        guard let ticket = sessions.take(podUID) else { throw .tooMany }
        defer { sessions.giveBack(ticket) }
        guard let channel = try? await exchange.accept(headers, framing: framing) else { return }
        let namespacePath = sandbox.networkNamespacePath
        await PortForwardServer.serve(channel, budget: connections) { (port: UInt16) throws(StreamingError) in
            do throws(KernelError) {
                return try await PodPort.connect(port, networkNamespace: namespacePath)
            } catch {
                throw StreamingError(
                    "failed to connect to localhost:\(port) inside namespace of pod \(namespace)/\(pod): \(error.errno)"
                )
            }
        }
    }

    // MARK: Finding

    private func find(
        _ namespace: String, _ name: String, _ uid: String?
    ) async throws(NodeStreamError) -> (uid: String, pod: Pod) {
        let pod = await agent.pods().first { $0.metadata.namespace == namespace && $0.metadata.name == name }
        guard let pod, let found = pod.metadata.uid, uid == nil || uid == found else {
            throw NodeStreamError(404, "pod \(namespace)/\(name) is not on this node")
        }
        return (found, pod)
    }

    private func running(
        _ namespace: String, _ name: String, _ uid: String?, _ container: String?
    ) async throws(NodeStreamError) -> (podUID: String, instance: ContainerInstance) {
        let (podUID, pod) = try await find(namespace, name, uid)
        let container = container ?? pod.defaultContainerName
        let instances = await host.runtime.containers(ofPod: podUID).filter { $0.metadata.name == container }
        guard let newest = instances.max(by: { $0.metadata.attempt < $1.metadata.attempt }) else {
            throw NodeStreamError(404, "container not found (\"\(container)\")")
        }
        guard newest.isRunning else {
            throw NodeStreamError(400, "container \"\(container)\" of pod \(namespace)/\(name) is not running")
        }
        return (podUID, newest)
    }
}

/// Why a stream is refused.
struct NodeStreamError: Error {
    let status: Int
    let message: String

    init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }

    static let tooMany = NodeStreamError(
        429,
        "too many sessions: at most \(NodeStreams.podLimit) of a pod and \(NodeStreams.nodeLimit) of the node at a time"
    )

    static func unknownProtocol(_ offered: [String], _ known: [String]) -> NodeStreamError {
        NodeStreamError(
            403,
            "unable to upgrade: unable to negotiate protocol: client supports \(offered), server accepts \(known)")
    }
}

/// How many sessions are open, by pod.
final class SessionCount: Sendable {
    struct Ticket: Sendable { fileprivate let podUID: String }

    private let open = Mutex<[String: Int]>([:])

    func take(_ podUID: String) -> Ticket? {
        open.withLock { open in
            let (own, all) = (open[podUID] ?? 0, open.values.reduce(0, +))
            guard own < NodeStreams.podLimit, all < NodeStreams.nodeLimit else { return nil }
            open[podUID] = own + 1
            return Ticket(podUID: podUID)
        }
    }

    func giveBack(_ ticket: Ticket) {
        open.withLock { open in
            let left = (open[ticket.podUID] ?? 1) - 1
            open[ticket.podUID] = left > 0 ? left : nil
        }
    }
}

extension RemoteStreams {
    init(_ request: RemoteCommandRequest) {
        self.init(
            hasInput: request.hasInput, hasOutput: request.hasOutput, hasError: request.hasError,
            isTerminal: request.isTerminal)
    }
}

extension RemoteProcess {
    init(_ attachment: Attachment, _ id: String, _ runtime: RuntimeService) {
        let master = attachment.input
        self.init(
            input: attachment.input, output: attachment.output, error: attachment.error,
            resize: { size in
                guard attachment.isTerminal, master >= 0 else { return }
                RuntimeService.resize(terminal: master, columns: size.width, rows: size.height)
            },
            inputEnded: {
                if attachment.closesInputAfterFirst, !attachment.isTerminal { await runtime.closeInput(of: id) }
            },
            outputEnded: {
                // Its end is on the way, if that is the reason.
                await withTaskGroup(of: RemoteCommandStatus.self) { group in
                    group.addTask {
                        _ = await runtime.waitForExit(of: id)
                        return .exited(code: 0)
                    }
                    group.addTask {
                        try? await ContinuousClock().sleep(for: .seconds(2))
                        return .failed("the container's output was not taken for too long")
                    }
                    defer { group.cancelAll() }
                    return await group.next() ?? .exited(code: 0)
                }
            }
        ) {
            // How it ended is in the pod's status: whoever only looked on has no exit code.
            _ = await runtime.waitForExit(of: id)
            return .exited(code: 0)
        }
    }

    init(_ execution: RemoteExecution, _ runtime: RuntimeService) {
        let master = execution.output
        self.init(
            input: execution.input, output: execution.output, error: execution.error,
            resize: { RuntimeService.resize(terminal: master, columns: $0.width, rows: $0.height) }
        ) {
            do throws(RuntimeError) { return .exited(code: try await runtime.wait(for: execution)) } catch {
                return .failed(error.message)
            }
        }
    }
}
