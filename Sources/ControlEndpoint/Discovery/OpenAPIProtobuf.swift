internal import KubernetesAPI

/// The OpenAPI version 2 document in the binary form kubectl asks for (the `openapi.v2.Document` message of the gnostic
/// project). Field numbers are that schema's. Only what ``OpenAPIDocuments`` puts into its document is carried over.
enum OpenAPIProtobuf {
    static func encode(_ document: JSONValue) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, document.string("swagger"))
        writer.message(2) {
            $0.string(1, document.string("info", "title"))
            $0.string(2, document.string("info", "version"))
        }
        writer.message(8) { paths in
            for (path, item) in sorted(document["paths"]) {
                paths.message(2) { named(&$0, path) { pathItem(item, &$0) } }
            }
        }
        writer.message(9) { definitions in
            for (name, definition) in sorted(document["definitions"]) {
                definitions.message(1) { named(&$0, name) { schema(definition, &$0) } }
            }
        }
        return writer.bytes
    }

    /// A name and its value, as every map of the schema is written.
    private static func named(
        _ writer: inout ProtobufWriter, _ name: String, _ body: (inout ProtobufWriter) -> Void
    ) {
        writer.string(1, name)
        writer.message(2, body)
    }

    private static func sorted(_ value: JSONValue?) -> [(key: String, value: JSONValue)] {
        (value?.objectValue ?? [:]).sorted { $0.key < $1.key }
    }

    private static func pathItem(_ item: JSONValue, _ writer: inout ProtobufWriter) {
        let fields: [(String, UInt64)] = [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)]
        for (method, field) in fields {
            if let found = item[method] { writer.message(field) { operation(found, &$0) } }
        }
    }

    private static func operation(_ operation: JSONValue, _ writer: inout ProtobufWriter) {
        for type in operation.list("produces") { writer.string(6, type.stringValue ?? "") }
        for type in operation.list("consumes") { writer.string(7, type.stringValue ?? "") }
        for parameter in operation.list("parameters") {
            // ParametersItem.parameter, then body or non-body.
            writer.message(8) { $0.message(1) { Self.parameter(parameter, &$0) } }
        }
        writer.message(9) { responses in
            for (code, response) in sorted(operation["responses"]) {
                responses.message(1) { entry in
                    entry.string(1, code)
                    // ResponseValue.response
                    entry.message(2) { value in
                        value.message(1) { body in
                            body.string(1, response.string("description"))
                            // SchemaItem.schema
                            body.message(2) { $0.message(1) { schema(response["schema"] ?? [:], &$0) } }
                        }
                    }
                }
            }
        }
        extensions(of: operation, field: 13, &writer)
    }

    private static func parameter(_ parameter: JSONValue, _ writer: inout ProtobufWriter) {
        if parameter.string("in") == "body" {
            writer.message(1) { body in
                body.string(2, parameter.string("name"))
                body.string(3, "body")
                body.bool(4, true)
                body.message(5) { schema(parameter["schema"] ?? [:], &$0) }
            }
            return
        }
        // NonBodyParameter.query_parameter_sub_schema
        writer.message(2) {
            $0.message(3) { query in
                query.string(2, "query")
                query.string(4, parameter.string("name"))
                query.string(6, parameter.string("type"))
            }
        }
    }

    private static func schema(_ schema: JSONValue, _ writer: inout ProtobufWriter) {
        writer.string(1, schema.string("$ref"))
        writer.string(2, schema.string("format"))
        writer.string(4, schema.string("description"))
        for name in schema.list("required") { writer.string(19, name.stringValue ?? "") }
        if let additional = schema["additionalProperties"] {
            writer.message(21) { $0.message(1) { Self.schema(additional, &$0) } }
        }
        let type = schema.string("type")
        if !type.isEmpty { writer.message(22) { $0.string(1, type) } }
        if let items = schema["items"] { writer.message(23) { $0.message(1) { Self.schema(items, &$0) } } }
        if let properties = schema["properties"] {
            writer.message(25) { map in
                for (name, property) in sorted(properties) {
                    map.message(1) { entry in
                        entry.string(1, name)
                        entry.message(2) { Self.schema(property, &$0) }
                    }
                }
            }
        }
        extensions(of: schema, field: 31, &writer)
    }

    /// Extensions travel as YAML text; JSON is YAML.
    private static func extensions(of value: JSONValue, field: UInt64, _ writer: inout ProtobufWriter) {
        for (name, content) in sorted(value) where name.hasPrefix("x-") {
            writer.message(field) { entry in
                entry.string(1, name)
                entry.message(2) { $0.string(2, content.description) }
            }
        }
    }
}
