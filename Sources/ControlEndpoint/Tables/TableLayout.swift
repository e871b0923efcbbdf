internal import KubernetesAPI

/// The columns of `kubectl get` for one kind, and how an object becomes a row.
struct TableLayout: Sendable {
    struct Column: Hashable, Sendable {
        var name: String
        var type = "string"
        var format = ""
        var description = ""
        /// 0 is always shown, 1 only with `-o wide`.
        var priority: Int64 = 0
    }

    var columns: [Column]
    /// One cell per column.
    var cells: @Sendable (_ object: JSONValue, _ now: Timestamp) -> [JSONValue]

    static let nameColumn = Column(name: "Name", format: "name", description: "Name must be unique within a namespace.")
    static let ageColumn = Column(name: "Age", description: "How long ago the object was created.")

    /// For kinds with nothing worth a column of its own.
    static let nameAndAge = TableLayout(columns: [nameColumn, ageColumn]) { object, now in
        [name(object), age(object, now)]
    }

    static func name(_ object: JSONValue) -> JSONValue { .string(object.string("metadata", "name")) }

    static func age(_ object: JSONValue, _ now: Timestamp) -> JSONValue {
        .string(HumanDuration.since(object.string("metadata", "creationTimestamp"), now: now))
    }

    /// How much of each object goes into its row.
    enum IncludeObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    /// The Table of these objects.
    func table(
        of objects: [JSONValue], version: String, listMetadata: JSONValue, include: IncludeObject, now: Timestamp,
        withColumns: Bool = true
    ) -> JSONValue {
        let rows = objects.map { object -> JSONValue in
            var row: [String: JSONValue] = ["cells": .array(cells(object, now))]
            switch include {
            case .none: break
            case .metadata: row["object"] = PartialMetadata.of(object, version: version)
            case .object: row["object"] = object
            }
            return .object(row)
        }
        let definitions = withColumns ? columns.map(Self.definition) : []
        return [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": listMetadata,
            "columnDefinitions": .array(definitions), "rows": .array(rows),
        ]
    }

    private static func definition(_ column: Column) -> JSONValue {
        [
            "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
            "description": .string(column.description), "priority": .integer(column.priority),
        ]
    }
}

/// The `PartialObjectMetadata` form of any object.
enum PartialMetadata {
    static func of(_ object: JSONValue, version: String) -> JSONValue {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object["metadata"] ?? [:],
        ]
    }
}
