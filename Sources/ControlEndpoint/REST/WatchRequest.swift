internal import KubernetesAPI

/// The parameters of one watch.
struct WatchRequest: Sendable {
    enum Start: Hashable, Sendable {
        /// Everything that exists, as additions, then the changes.
        case existing
        /// Only changes after this version.
        case after(Int64)
        /// Only changes from now on.
        case now
    }

    var start: Start
    var sendsBookmarks: Bool
    /// A bookmark with the annotation `k8s.io/initial-events-end` closes the initial additions.
    var marksInitialEvents: Bool
    var timeout: Duration?

    init(_ query: QueryParameters, current: Int64) throws(APIStatusError) {
        sendsBookmarks = query.flag("allowWatchBookmarks")
        marksInitialEvents = false
        timeout = try query.integer("timeoutSeconds").flatMap { $0 > 0 ? .seconds($0) : nil }
        let text = query["resourceVersion"]
        var version: Int64?
        if !text.isEmpty, text != "0" {
            guard let given = Int64(text), given > 0 else {
                throw .badRequest("query parameter resourceVersion: invalid value \"\(text)\": must be a whole number")
            }
            version = given
        }
        let initial = query["sendInitialEvents"]
        if initial.isEmpty {
            start = version.map(Start.after) ?? .existing
            return
        }
        // Only with both of these does the client know what it gets; the API refuses half a request.
        guard query["resourceVersionMatch"] == "NotOlderThan" else {
            throw .invalid(
                Self.listOptions, "",
                [
                    .forbidden(
                        FieldPath("resourceVersionMatch"),
                        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
                ])
        }
        if query.flag("sendInitialEvents") {
            if let version, version > current { throw .versionAhead(requested: version, current: current) }
            start = .existing
            marksInitialEvents = sendsBookmarks
        } else {
            start = version.map(Start.after) ?? .now
        }
    }

    private static let listOptions = ResourceDefinition(
        group: "meta.k8s.io", version: "v1", kind: "ListOptions", plural: "listoptions", namespaced: false)
}
