internal import KubernetesAPI
internal import NIOCore

/// How a remote command ended.
public enum RemoteCommandStatus: Hashable, Sendable {
    /// Its exit code; 0 is success.
    case exited(code: Int32)
    /// It could not be run, or its end is not known.
    case failed(String)

    /// A v1.Status, as protocol version 4 and later have it.
    var document: ByteBuffer {
        let value: JSONValue
        switch self {
        case .exited(code: 0): value = ["metadata": [:], "status": "Success"]
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
