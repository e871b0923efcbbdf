internal import KubernetesAPI

/// The query parameters common to every write.
struct WriteOptions: Hashable, Sendable {
    enum FieldValidation: String, Sendable {
        case ignore = "Ignore"
        case warn = "Warn"
        case strict = "Strict"
    }

    var isDryRun = false
    var fieldValidation = FieldValidation.warn
    /// Whether the client chose it. What was sent twice is taken only from one that did: which of `privileged: false` and
    /// `privileged: true` counts must not be an accident.
    var isFieldValidationGiven = false

    /// For an object whose fields were looked at in another form.
    var withoutFieldChecks: WriteOptions {
        var options = self
        (options.fieldValidation, options.isFieldValidationGiven, options.duplicateFields) = (.ignore, true, [])
        return options
    }
    /// Members of the body that were given more than once; the last one counts.
    var duplicateFields: [String] = []
    /// Who asks; nil: the endpoint itself.
    var requester: Identity?
    /// Who is to own what is written; empty: nobody in particular.
    var fieldManager = ""
    /// An apply takes fields away from other managers.
    var isForced = false
    /// The record of owners that a new object starts with.
    var managers = FieldManagers()

    /// Characters of a manager's name (Kubernetes: `FieldManagerMaxLength`).
    private static let fieldManagerLimit = 128

    init() {}

    /// - Parameter userAgent: names the manager when the query does not, up to its first slash; not for applies.
    init(_ query: QueryParameters, requester: Identity? = nil, userAgent: String? = nil) throws(APIStatusError) {
        self.requester = requester
        fieldManager = query["fieldManager"]
        guard fieldManager.count <= Self.fieldManagerLimit else {
            throw .badRequest("query parameter fieldManager: must be at most \(Self.fieldManagerLimit) characters")
        }
        if fieldManager.isEmpty, let userAgent {
            let product = userAgent.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first
            fieldManager = String((product ?? "").prefix(Self.fieldManagerLimit))
        }
        isForced = query.flag("force")
        isDryRun = try Self.isDryRun(query.all("dryRun"))
        let validation = query["fieldValidation"]
        if !validation.isEmpty {
            guard let known = FieldValidation(rawValue: validation) else {
                throw .badRequest(
                    "query parameter fieldValidation: unsupported value \"\(validation)\": must be Ignore, "
                        + "Warn or Strict"
                )
            }
            (fieldValidation, isFieldValidationGiven) = (known, true)
        }
    }

    /// `All` is the only stage there is.
    static func isDryRun(_ values: [String]) throws(APIStatusError) -> Bool {
        let given = values.filter { !$0.isEmpty }
        guard given.allSatisfy({ $0 == "All" }) else {
            throw .badRequest("dryRun: unsupported value \"\(given.joined(separator: ","))\": must be All")
        }
        return !given.isEmpty
    }
}

/// How a deletion is wanted, from the body or the query of the request.
struct DeletionRequest: Hashable, Sendable {
    var gracePeriodSeconds: Int64?
    var uid: String?
    var resourceVersion: String?
    var isDryRun = false
    /// What becomes of the objects that this one owns; nil leaves it as the object says.
    var propagation: Propagation?

    enum Propagation: String, Sendable {
        /// They go after it.
        case background = "Background"
        /// They go before it.
        case foreground = "Foreground"
        /// They stay.
        case orphan = "Orphan"

        /// The finalizers the collector acts on.
        static let finalizers = ["orphan", "foregroundDeletion"]

        var finalizer: String? {
            switch self {
            case .background: nil
            case .foreground: "foregroundDeletion"
            case .orphan: "orphan"
            }
        }
    }

    init() {}

    init(body: JSONValue?, query: QueryParameters) throws(APIStatusError) {
        if let body, !body.isNull {
            let options: DeleteOptions
            do {
                options = try JSONValueDecoder().decode(DeleteOptions.self, from: body)
            } catch {
                throw .badRequest("the body cannot be handled as DeleteOptions: \(error)")
            }
            gracePeriodSeconds = options.gracePeriodSeconds
            uid = options.preconditions?.uid
            resourceVersion = options.preconditions?.resourceVersion
            isDryRun = try WriteOptions.isDryRun(options.dryRun ?? [])
            if let policy = options.propagationPolicy, !policy.isEmpty { propagation = try Self.propagation(policy) }
            if let orphans = options.orphanDependents {
                guard propagation == nil else {
                    throw .badRequest("DeleteOptions: orphanDependents and propagationPolicy cannot be both set")
                }
                propagation = orphans ? .orphan : .background
            }
        }
        let policy = query["propagationPolicy"]
        if propagation == nil, !policy.isEmpty { propagation = try Self.propagation(policy) }
        if gracePeriodSeconds == nil { gracePeriodSeconds = try query.integer("gracePeriodSeconds") }
        if try WriteOptions.isDryRun(query.all("dryRun")) { isDryRun = true }
    }
}

extension DeletionRequest {
    private static func propagation(_ text: String) throws(APIStatusError) -> Propagation {
        guard let known = Propagation(rawValue: text) else {
            throw .badRequest(
                "DeleteOptions: propagationPolicy: unsupported value \"\(text)\": must be Background, Foreground or Orphan"
            )
        }
        return known
    }
}

/// What a write gave back.
struct WriteResult: Sendable {
    private enum Outcome: Sendable {
        case stored(StoredObject)
        case dryRun(JSONValue)
    }

    private let outcome: Outcome
    var warnings: [String] = []
    var isCreated = false

    init(_ object: StoredObject, warnings: [String] = [], isCreated: Bool = false) {
        outcome = .stored(object)
        self.warnings = warnings
        self.isCreated = isCreated
    }

    init(dryRun value: JSONValue, warnings: [String] = [], isCreated: Bool = false) {
        outcome = .dryRun(value)
        self.warnings = warnings
        self.isCreated = isCreated
    }

    /// The object as stored, or as it would be after a dry run.
    var value: JSONValue {
        switch outcome {
        case .stored(let object): object.value
        case .dryRun(let value): value
        }
    }

    /// Its encoded form when it was stored.
    var json: [UInt8]? {
        switch outcome {
        case .stored(let object): object.json
        case .dryRun: nil
        }
    }
}
