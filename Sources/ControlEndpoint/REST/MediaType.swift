/// One media type with its parameters, as in `Accept` and `Content-Type`.
struct MediaType: Hashable, Sendable {
    /// `application/json`, lowercase.
    var name: String
    var parameters: [String: String] = [:]

    init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: ";")
        guard let first = parts.first else { return nil }
        name = Self.trim(first).lowercased()
        guard name.contains("/") else { return nil }
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            parameters[Self.trim(pair[0]).lowercased()] = Self.trim(pair[1])
        }
    }

    /// The types of an Accept header in the client's order; weights are ignored, as Kubernetes' clients send none.
    static func list(_ header: String) -> [MediaType] {
        header.split(separator: ",").compactMap { MediaType(parsing: $0) }
    }

    private static func trim(_ text: some StringProtocol) -> String {
        let blanks: Set<Character> = [" ", "\t", "\""]
        var slice = text[...]
        while let first = slice.first, blanks.contains(first) { slice.removeFirst() }
        while let last = slice.last, blanks.contains(last) { slice.removeLast() }
        return String(slice)
    }
}

/// The form in which an object or a list is answered.
struct Representation: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        case object
        /// `meta.k8s.io` Table of this version.
        case table(version: String)
        /// Only the metadata of each object.
        case partialMetadata(version: String)
    }

    var form: Form
    /// `application/json`, or `application/yaml`: JSON is YAML too, so the bytes are the same.
    var contentType: String

    /// The first form the client accepts that we have; nil when there is none.
    init?(accept header: String) {
        let offered = header.isEmpty ? [] : MediaType.list(header)
        if offered.isEmpty {
            self.init(form: .object, contentType: "application/json")
            return
        }
        for type in offered {
            let contentType: String
            switch type.name {
            case "application/json", "application/*", "*/*": contentType = "application/json"
            case "application/yaml", "text/yaml": contentType = "application/yaml"
            default: continue
            }
            guard let kind = type.parameters["as"] else {
                self.init(form: .object, contentType: contentType)
                return
            }
            let version = type.parameters["v"] ?? "v1"
            guard type.parameters["g"] == "meta.k8s.io", version == "v1" || version == "v1beta1" else { continue }
            switch kind {
            case "Table": self.init(form: .table(version: version), contentType: contentType)
            case "PartialObjectMetadata", "PartialObjectMetadataList":
                self.init(form: .partialMetadata(version: version), contentType: contentType)
            default: continue
            }
            return
        }
        return nil
    }

    private init(form: Form, contentType: String) {
        self.form = form
        self.contentType = contentType
    }
}
