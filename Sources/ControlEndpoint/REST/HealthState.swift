internal import Synchronization

/// What `/healthz`, `/livez` and `/readyz` say. They need no certificate, so that probes work.
final class HealthState: Sendable {
    private let isReady = Mutex(true)

    init() {}

    /// False once the endpoint is stopping.
    func setReady(_ ready: Bool) { isReady.withLock { $0 = ready } }

    /// Nil when the request is for something else.
    func answer(_ request: APIRequest) -> APIResponse? {
        let name: String
        let checks: [(name: String, passes: Bool)]
        switch request.path {
        case "/healthz", "/healthz/", "/livez", "/livez/":
            name = request.path.hasPrefix("/livez") ? "livez" : "healthz"
            checks = [("ping", true)]
        case "/readyz", "/readyz/":
            name = "readyz"
            checks = [("ping", true), ("shutdown", isReady.withLock { $0 })]
        default: return nil
        }
        let passes = checks.allSatisfy(\.passes)
        guard request.query.flag("verbose") || !passes else { return .text("ok") }
        let lines = checks.map { $0.passes ? "[+]\($0.name) ok" : "[-]\($0.name) failed: reason withheld" }
        let verdict = "\(name) check \(passes ? "passed" : "failed")"
        return .text((lines + [verdict, ""]).joined(separator: "\n"), status: passes ? 200 : 500)
    }
}
