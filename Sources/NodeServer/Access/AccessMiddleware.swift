import HTTPTypes
import Hummingbird
import NIOCore
import NIOSSL

/// Lets through what ``NodeAccess`` allows. It stands before the routes: a stranger learns nothing of what there is.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = NodeRequestContext

    let access: NodeAccess

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let verdict = await access.decide(
            NodeAction(method: request.method.rawValue, path: request.uri.path),
            certificateDER: await context.channel.peerCertificateDER(),
            authorization: request.headers[.authorization])
        switch verdict {
        case .allowed: return try await next(request, context)
        case .refused(let status, let message):
            var response = HTTPResponses.error(message, status: .init(code: status))
            // The rest of a refused request is not worth reading.
            response.headers[.connection] = "close"
            return response
        }
    }
}

extension Channel {
    /// Nil without TLS, and when the client gave none.
    func peerCertificateDER() async -> [UInt8]? {
        let certificate = try? await nioSSL_peerCertificate().get()
        return try? certificate?.toDERBytes()
    }
}
