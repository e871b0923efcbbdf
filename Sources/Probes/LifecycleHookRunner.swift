public import KubernetesAPI
public import NIOCore
import NIOHTTP1

/// How a hook ended.
public enum LifecycleHookOutcome: Hashable, Sendable {
    case success
    /// The hook succeeded, but over plain HTTP: an event `LifecycleHTTPFallback` with this message is due.
    case fallback(message: String)
    /// For the log. Not for an event, as it may hold output of the container.
    case failure(message: String)
}

/// Runs `postStart` and `preStop` hooks.
public struct LifecycleHookRunner: Sendable {
    private let http: HTTPGetClient
    private let execution: any ProbeExecution
    private let clock: any Clock<Duration>

    /// - Throws: when the TLS library cannot be set up.
    public init(
        group: any EventLoopGroup, execution: any ProbeExecution, clock: any Clock<Duration> = ContinuousClock()
    ) throws {
        http = try HTTPGetClient(group: group)
        self.execution = execution
        self.clock = clock
    }

    /// Runs a hook to its end.
    ///
    /// - Parameter timeout: what is left of the grace period for `preStop`; nil means as long as it takes. Cancelling
    ///   the task ends the hook too.
    public func run(
        _ handler: LifecycleHandler, container: Container, containerID: String, podIP: String?, timeout: Duration?
    ) async -> LifecycleHookOutcome {
        if let action = handler.exec {
            return await run(action, in: containerID, timeout: timeout)
        } else if let action = handler.httpGet {
            return await run(action, container: container, podIP: podIP, timeout: timeout)
        } else if let action = handler.sleep {
            return await sleep(action, timeout: timeout)
        }
        return .failure(
            message: "the hook of container \(JSONValue.string(container.name)) has no exec, httpGet or sleep to run")
    }

    private func run(_ action: ExecAction, in containerID: String, timeout: Duration?) async -> LifecycleHookOutcome {
        let command = action.command ?? []
        switch await execution.execute(command, in: containerID, timeout: timeout) {
        case .exited(code: 0, _): return .success
        case .exited(let code, let output):
            return .failure(message: "the command exited with \(code): \(ProbeText.text(output))")
        case .timedOut: return .failure(message: "the command did not end within \(timeout?.goText ?? "its time")")
        case .notRun(let message): return .failure(message: message)
        }
    }

    private func sleep(_ action: SleepAction, timeout: Duration?) async -> LifecycleHookOutcome {
        let duration = min(Duration.seconds(max(0, action.seconds)), ProbeConnection.maximumTimeout)
        do {
            try await clock.sleep(for: min(duration, timeout ?? duration), tolerance: nil)
        } catch {
            return .failure(message: "the sleep was cancelled")
        }
        guard let timeout, timeout < duration else { return .success }
        return .failure(message: "the sleep of \(duration.goText) did not fit into \(timeout.goText)")
    }

    /// Any answer is success, whatever its status.
    private func run(
        _ action: HTTPGetAction, container: Container, podIP: String?, timeout: Duration?
    ) async -> LifecycleHookOutcome {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var request: HTTPGetRequest
        do throws(ProbeAddressError) {
            request = try HTTPGetRequest(
                action, container: container, podIP: podIP, userAgent: ProbeUserAgent.lifecycle)
        } catch {
            return .failure(message: error.description)
        }
        do throws(HTTPGetClient.Failure) {
            _ = try await http.get(request, timeout: timeout)
            return .success
        } catch {
            guard error.serverSpokePlainHTTP else { return .failure(message: error.message) }
        }
        // The server does not do TLS after all. A secret meant for an encrypted connection is not sent without one.
        request.url.scheme = .http
        request.headers.remove(name: "Authorization")
        do throws(HTTPGetClient.Failure) {
            _ = try await http.get(request, timeout: deadline.map { max(.zero, $0 - .now) })
        } catch {
            return .failure(message: error.message)
        }
        return .fallback(
            message: "request to HTTPS lifecycle hook \(request.url.authority) got HTTP response, "
                + "retry with HTTP succeeded")
    }
}
