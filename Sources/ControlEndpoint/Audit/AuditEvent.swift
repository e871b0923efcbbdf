internal import KubernetesAPI
internal import NIOCore

/// One request as the audit log tells of it: an Event of `audit.k8s.io/v1`.
struct AuditEvent: Sendable {
    enum Stage: String, Sendable {
        /// The answer goes on: a watch, a log, a session in a pod.
        case responseStarted = "ResponseStarted"
        case responseComplete = "ResponseComplete"
    }

    /// Bytes of a sent object; of a larger one it is only said that it was there.
    static let bodyLimit = 16 << 10
    /// Bytes of an address, which may hold a whole command.
    static let addressLimit = 4 << 10

    var id = UniqueIdentifier.random()
    var level: AuditLevel
    var stage: Stage
    var method: String
    /// Path and query.
    var target: String
    var identity: Identity?
    var source: String
    var userAgent: String
    var status: Int
    var received: Timestamp
    var answered: Timestamp
    /// As it was sent.
    var body = ByteBuffer()
    /// Something was sent that is too large for the log.
    var hasLargeBody = false

    /// Without a line's end.
    func json() -> [UInt8] {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first.map(String.init) ?? ""
        let isWatch = QueryParameters(parsing: parts.count > 1 ? String(parts[1]) : "").flag("watch")
        let info = try? RequestInfo(method: method, path: path, isWatch: isWatch)
        var annotations: [String: JSONValue] = [:]
        if identity != nil {
            annotations["authorization.k8s.io/decision"] = status == 403 ? "forbid" : "allow"
        }
        var event: [String: JSONValue] = [
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": .string(level.rawValue), "auditID": .string(id),
            "stage": .string(stage.rawValue), "requestURI": .string(Self.cut(target, Self.addressLimit)),
            "verb": .string(info?.verb.rawValue ?? method.lowercased()), "user": user,
            "sourceIPs": .array(source.isEmpty ? [] : [.string(source)]),
            "userAgent": .string(Self.cut(userAgent, 512)),
            "responseStatus": ["metadata": [:], "code": .integer(Int64(status))],
            "requestReceivedTimestamp": .string(received.microseconds),
            "stageTimestamp": .string(answered.microseconds),
        ]
        if let info { event["objectRef"] = Self.reference(info) }
        if level == .request, hasLargeBody || body.readableBytes > 0, let info {
            switch hasLargeBody ? .left("larger than \(Self.bodyLimit) bytes") : Self.shown(body, of: info) {
            case .object(let object): event["requestObject"] = object
            case .left(let why): annotations["audit.swiftlet/request-object"] = .string(why)
            }
        }
        if !annotations.isEmpty { event["annotations"] = .object(annotations) }
        return JSONValue.object(event).serialized()
    }

    private var user: JSONValue {
        guard let identity else { return ["username": "system:anonymous", "groups": ["system:unauthenticated"]] }
        var user: [String: JSONValue] = [
            "username": .string(identity.name), "groups": .array(identity.allGroups.sorted().map { .string($0) }),
        ]
        if !identity.uid.isEmpty { user["uid"] = .string(identity.uid) }
        if !identity.extra.isEmpty {
            user["extra"] = .object(identity.extra.mapValues { .array($0.map { .string($0) }) })
        }
        return .object(user)
    }

    private static func reference(_ info: RequestInfo) -> JSONValue {
        let fields: [(String, String?)] = [
            ("resource", info.resource), ("namespace", info.namespace), ("name", info.name),
            ("apiGroup", info.group), ("apiVersion", info.version), ("subresource", info.subresource),
        ]
        return .object(
            fields.reduce(into: [:]) { object, field in
                if let value = field.1, !value.isEmpty { object[field.0] = .string(value) }
            })
    }

    // MARK: The object

    private enum Shown {
        case object(JSONValue)
        /// Why it is not there.
        case left(String)
    }

    /// Resources whose objects are secrets, or hold one.
    private static let secretResources: Set<String> = ["secrets", "tokenreviews"]

    private static func shown(_ body: ByteBuffer, of info: RequestInfo) -> Shown {
        guard !secretResources.contains(info.resource), info.subresource != "token" else { return .left("secret") }
        guard let object = try? JSONValue(parsing: body.readableBytesView) else { return .left("not JSON") }
        // One that was sent to a wrong address is a secret all the same.
        return holdsSecret(object) ? .left("secret") : .object(object)
    }

    private static func holdsSecret(_ value: JSONValue) -> Bool {
        if value["kind"]?.stringValue == "Secret" || value["stringData"] != nil { return true }
        return value["items"]?.arrayValue?.contains(where: holdsSecret) == true
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    }
}

extension Timestamp {
    /// RFC 3339 with six digits of a second, as MicroTime has it.
    fileprivate var microseconds: String {
        let digits = String(1_000_000 + max(0, nanoseconds) / 1000).dropFirst()
        return "\(Timestamp(seconds: seconds).rfc3339.dropLast()).\(digits)Z"
    }
}
