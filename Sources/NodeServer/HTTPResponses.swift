import HTTPTypes
import Hummingbird
import KubernetesAPI
import NIOCore

/// Answers in the forms that the node's interfaces use.
enum HTTPResponses {
    static func text(_ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8")
        -> Response
    {
        Response(
            status: status, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialized())))
    }

    static func error(_ message: String, status: HTTPResponse.Status) -> Response {
        text(message + "\n", status: status)
    }
}
