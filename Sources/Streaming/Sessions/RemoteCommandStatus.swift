internal import KubernetesAPI
internal import NIOCore

/// How a remote command ended.
public enum RemoteCommandStatus: Hashable, Sendable {
    /// Its exit code; 0 is success.
    case exited(code: Int32)
    /// It could not be run, or its end is not known.
    case failed(String)

    /// The usual one, as a node of ours says it.
    private static let success = ByteBuffer(string: #"{"metadata":{},"status":"Success"}"#)

    /// What a node's v1.Status says; one that is not understood is a failure, never a success.
    init(document: ByteBuffer) {
        if document == Self.success {
            self = .exited(code: 0)
            return
        }
        guard let value = try? JSONValue(parsing: Array(document.readableBytesView)) else {
            self = .failed("how the command ended is not known: the node's status is no JSON document")
            return
        }
        if value["status"]?.stringValue == "Success" {
            self = .exited(code: 0)
            return
        }
        let causes = value["details"]?["causes"]?.arrayValue ?? []
        let code = causes.first { $0["reason"]?.stringValue == "ExitCode" }?["message"]?.stringValue.flatMap(Int32.init)
        if value["reason"]?.stringValue == "NonZeroExitCode", let code, code != 0 {
            self = .exited(code: code)
        } else {
            self = .failed(value["message"]?.stringValue ?? "the node says that the command failed, and not why")
        }
    }

    /// A v1.Status, as protocol version 4 and later have it.
    var document: ByteBuffer {
        let value: JSONValue
        switch self {
        case .exited(code: 0): return Self.success
        case .exited(let code):
            value = [
                "metadata": [:], "status": "Failure", "reason": "NonZeroExitCode", "message": .string(text),
                "details": [
                    "causes": .array([["reason": "ExitCode", "message": .string("\(code)")]])
                ],
            ]
        case .failed(let text):
            value = [
                "metadata": [:], "status": "Failure", "reason": "InternalError", "message": .string(text), "code": 500,
            ]
        }
        return ByteBuffer(bytes: value.serialized())
    }

    /// What earlier versions write on the error stream: nothing on success.
    var text: String {
        switch self {
        case .exited(code: 0): ""
        case .exited(let code): "command terminated with non-zero exit code: exit status \(code)"
        case .failed(let text): text
        }
    }
}
