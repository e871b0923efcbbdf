// Interpolating, printing or dumping an API object must never put a secret into a log: the types that hold one say what
// they are and keep the value to themselves, wherever they are nested.

private let redacted = "<redacted>"

extension Secret: CustomStringConvertible, CustomReflectable {
    public var description: String {
        let keys = Array((data ?? [:]).keys) + (stringData ?? [:]).keys
        return "Secret(\(metadata.namespace ?? "")/\(metadata.name ?? ""), keys: \(Set(keys).sorted()), \(redacted))"
    }

    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}

extension EnvVar: CustomStringConvertible, CustomReflectable {
    public var description: String {
        if let valueFrom { return "EnvVar(\(name), from: \(valueFrom))" }
        return "EnvVar(\(name), \(value == nil ? "no value" : redacted))"
    }

    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}

extension HTTPHeader: CustomStringConvertible, CustomReflectable {
    public var description: String {
        "HTTPHeader(\(name), \(redacted))"
    }

    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}

extension TokenRequestStatus: CustomStringConvertible, CustomReflectable {
    public var description: String { "TokenRequestStatus(\(redacted))" }

    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}

extension TokenReviewSpec: CustomStringConvertible, CustomReflectable {
    public var description: String { "TokenReviewSpec(\(redacted))" }

    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}
