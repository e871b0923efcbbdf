import HTTPTypes
import Hummingbird
import HummingbirdCore
import LinuxKernel
import NIOCore
import NIOHTTP1
import Streaming

/// `/logs/`: the host's log directory, as a file server shows it.
enum HostLogRoute {
    static func add(to router: Router<NodeRequestContext>, _ logs: HostLogs) {
        router.get("/logs") { request, _ in await respond(logs, request) }
        router.get("/logs/**") { request, _ in await respond(logs, request) }
    }

    private static func respond(_ logs: HostLogs, _ request: Request) async -> Response {
        let path = request.uri.path
        guard let segments = segments(path) else { return HTTPResponses.error("invalid path", status: .badRequest) }
        do throws(HostLogs.Refusal) {
            let open = { @Sendable () throws(HostLogs.Refusal) in try logs.open(segments) }
            switch try await KernelThreadPool.shared.run(open) {
            case .directory(let names):
                // Links in a listing are relative to it.
                guard path.hasSuffix("/") else {
                    return Response(status: .movedPermanently, headers: [.location: path + "/"])
                }
                return HTTPResponses.text(listing(names), type: "text/html; charset=utf-8")
            case .file(let file):
                guard !path.hasSuffix("/") else { throw .notFound }
                return stream(file)
            }
        } catch {
            switch error {
            case .notFound: return HTTPResponses.error("404 page not found", status: .notFound)
            case .forbidden: return HTTPResponses.error("403 Forbidden", status: .forbidden)
            case .failed(let reason): return HTTPResponses.error(reason, status: .internalServerError)
            }
        }
    }

    /// Of the path below `/logs/`, decoded; nil when one of them is not a name.
    static func segments(_ path: String) -> [String]? {
        var rest = path.dropFirst("/logs".utf8.count)
        while rest.last == "/" { rest = rest.dropLast() }
        if rest.isEmpty { return [] }
        return UpgradeRequest(method: "GET", target: String(rest), headers: [:]).pathSegments
    }

    private static func stream(_ file: OpenLog) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8", .xContentTypeOptions: "nosniff"],
            body: ResponseBody { writer in
                var offset: Int64 = 0
                while true {
                    let start = offset
                    let read = { @Sendable () throws(KernelError) in try file.read(from: start) }
                    let bytes = try await KernelThreadPool.shared.run(read)
                    if bytes.isEmpty { break }
                    offset += Int64(bytes.count)
                    try await writer.write(ByteBuffer(bytes: bytes))
                }
                try await writer.finish(nil)
            })
    }

    static func listing(_ names: [String]) -> String {
        let lines = names.map { "<a href=\"\(reference($0))\">\(escaped($0))</a>\n" }
        return
            "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n\(lines.joined())</pre>\n"
    }

    /// A relative reference: everything that could mean more than a name is escaped.
    private static func reference(_ name: String) -> String {
        let hex = Array("0123456789ABCDEF".unicodeScalars)
        var text = "".unicodeScalars
        for byte in name.utf8 {
            let isPlain =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._~/".utf8.contains(byte)
            if isPlain {
                text.append(Unicode.Scalar(byte))
            } else {
                text.append(contentsOf: ["%", hex[Int(byte >> 4)], hex[Int(byte & 15)]])
            }
        }
        return String(text)
    }

    private static func escaped(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&#34;"
            case "'": text += "&#39;"
            default: text.append(character)
            }
        }
    }
}
