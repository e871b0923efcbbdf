/// The server-side rendering of a list that `kubectl get` prints.
public struct Table: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "meta.k8s.io/v1" }
    public static var expectedKind: String { "Table" }

    @APIVersionOf<Table> public var apiVersion: String
    @KindOf<Table> public var kind: String
    @ZeroIfAbsent public var metadata: ListMeta
    @ZeroIfAbsent public var columnDefinitions: [TableColumnDefinition]
    @ZeroIfAbsent public var rows: [TableRow]

    public init(
        metadata: ListMeta = ListMeta(), columnDefinitions: [TableColumnDefinition] = [], rows: [TableRow] = []
    ) {
        self.metadata = metadata
        self.columnDefinitions = columnDefinitions
        self.rows = rows
    }
}

/// One column of a ``Table``.
public struct TableColumnDefinition: Codable, Hashable, Sendable {
    /// The heading as people read it.
    @ZeroIfAbsent public var name: String
    /// An OpenAPI type: `string`, `integer`, `number`, `boolean`, `date`.
    @ZeroIfAbsent public var type: String
    /// An OpenAPI format; `name` marks the primary identifier.
    @ZeroIfAbsent public var format: String
    @ZeroIfAbsent public var description: String
    /// 0 is always shown; higher ones only in wide output.
    @ZeroIfAbsent public var priority: Int32

    public init(
        name: String = "", type: String = "", format: String = "", description: String = "", priority: Int32 = 0
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.description = description
        self.priority = priority
    }
}

/// One row of a ``Table``.
public struct TableRow: Codable, Hashable, Sendable {
    /// One value per column.
    @ZeroIfAbsent public var cells: [JSONValue]
    public var conditions: [TableRowCondition]?
    /// The object behind the row, in the form the request's `includeObject` asked for.
    public var object: JSONValue?

    public init(cells: [JSONValue] = [], conditions: [TableRowCondition]? = nil, object: JSONValue? = nil) {
        self.cells = cells
        self.conditions = conditions
        self.object = object
    }
}

/// Marks a ``TableRow``, for example as completed.
public struct TableRowCondition: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var type: String
    @ZeroIfAbsent public var status: String
    public var reason: String?
    public var message: String?

    public init(type: String = "", status: String = "", reason: String? = nil, message: String? = nil) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
    }
}
