internal import FoundationEssentials  // Base64 of Data.
internal import KubernetesAPI

/// Bodies in Kubernetes' binary form, which newer kubectl sends for `create namespace` and its like. They are turned
/// into the JSON they stand for; answers are always JSON, which every such client takes.
enum KubernetesProtobuf {
    static let mediaType = "application/vnd.kubernetes.protobuf"
    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]
    /// No kind nests deeper; a body that does is not one.
    private static let depthLimit = 32

    /// The object in the envelope of that format: magic bytes, then kind and version, then the object itself.
    static func decode(_ body: [UInt8]) throws(APIStatusError) -> JSONValue {
        guard body.starts(with: magic) else {
            throw .badRequest("the body is not valid Kubernetes protobuf: it does not begin with \"k8s\\0\"")
        }
        do {
            var reader = ProtobufReader(body[magic.count...])
            var (apiVersion, kind) = ("", "")
            var raw: ArraySlice<UInt8> = []
            while let (field, value) = try reader.next() {
                guard case .bytes(let bytes) = value else { continue }
                switch field {
                case 1: (apiVersion, kind) = try typeMeta(bytes)
                case 2: raw = bytes
                default: break
                }
            }
            // One kind may be another message in another version.
            let names = ["\(apiVersion).\(kind)", kind]
            guard let name = names.first(where: { ProtobufFieldTable.messages[$0] != nil }) else {
                throw APIStatusError.unsupportedMediaType(["application/json", "application/yaml"])
            }
            var object = try message(raw, name, depth: 0)
            object["kind"] = .string(kind)
            object["apiVersion"] = .string(apiVersion)
            return object
        } catch let error as APIStatusError {
            throw error
        } catch {
            throw .badRequest("the body is not valid Kubernetes protobuf")
        }
    }

    private static func typeMeta(_ bytes: ArraySlice<UInt8>) throws -> (apiVersion: String, kind: String) {
        var reader = ProtobufReader(bytes)
        var (apiVersion, kind) = ("", "")
        while let (field, value) = try reader.next() {
            guard case .bytes(let text) = value else { continue }
            if field == 1 { apiVersion = try string(text) }
            if field == 2 { kind = try string(text) }
        }
        return (apiVersion, kind)
    }

    private static func string(_ bytes: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ProtobufReader.Malformed() }
        return text
    }

    private static func message(_ bytes: ArraySlice<UInt8>, _ name: String, depth: Int) throws -> JSONValue {
        guard depth < depthLimit, let fields = ProtobufFieldTable.messages[name] else {
            throw ProtobufReader.Malformed()
        }
        var members: [String: JSONValue] = [:]
        // Gathered apart, so that a list of many elements is not copied for each of them.
        var lists: [String: [JSONValue]] = [:]
        var maps: [String: [String: JSONValue]] = [:]
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            guard let field = fields[number] else { continue }
            let element = String(field.type.dropFirst())
            if field.name == "@" {
                let inner = try self.value(value, String(field.type), depth: depth + 1)
                members.merge(inner?.objectValue ?? [:]) { _, last in last }
            } else if field.type.first == "r" {
                if let item = try self.value(value, element, depth: depth + 1) {
                    lists[field.name, default: []].append(item)
                }
            } else if field.type.first == "m" {
                let (key, item) = try mapEntry(value, element, depth: depth + 1)
                maps[field.name, default: [:]][key] = item
            } else if let single = try self.value(value, String(field.type), depth: depth + 1) {
                if field.zeroIsAbsent, isZero(single) { continue }
                members[field.name] = single
            }
        }
        members.merge(lists.mapValues(JSONValue.array)) { _, last in last }
        members.merge(maps.mapValues(JSONValue.object)) { _, last in last }
        return .object(members)
    }

    private static func mapEntry(
        _ value: ProtobufReader.Value, _ type: String, depth: Int
    ) throws -> (String, JSONValue) {
        guard case .bytes(let bytes) = value else { throw ProtobufReader.Malformed() }
        var reader = ProtobufReader(bytes)
        var key = ""
        var item: JSONValue = type == "s" || type == "y" ? "" : [:]
        while let (field, value) = try reader.next() {
            if field == 1, case .bytes(let text) = value { key = try string(text) }
            if field == 2, let decoded = try self.value(value, type, depth: depth) { item = decoded }
        }
        return (key, item)
    }

    private static func isZero(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.isEmpty
        case .integer(let number): number == 0
        case .double(let number): number == 0
        case .bool(let flag): !flag
        case .null, .array, .object: false
        }
    }

    /// Nil for a value that JSON would leave out: the zero time.
    private static func value(_ value: ProtobufReader.Value, _ type: String, depth: Int) throws -> JSONValue? {
        switch (type, value) {
        case ("i", .number(let number)): return .integer(Int64(bitPattern: number))
        case ("b", .number(let number)): return .bool(number != 0)
        case ("d", .number(let bits)): return .double(Double(bitPattern: bits))
        case ("s", .bytes(let bytes)): return .string(try string(bytes))
        case ("y", .bytes(let bytes)): return .string(Data(bytes).base64EncodedString())
        case ("T", .bytes(let bytes)), ("U", .bytes(let bytes)): return try time(bytes, isMicro: type == "U")
        case ("Q", .bytes(let bytes)): return try quantity(bytes)
        case ("I", .bytes(let bytes)): return try integerOrString(bytes)
        case (_, .bytes(let bytes)): return try message(bytes, type, depth: depth)
        case (_, .number): throw ProtobufReader.Malformed()
        }
    }

    private static func time(_ bytes: ArraySlice<UInt8>, isMicro: Bool) throws -> JSONValue? {
        var reader = ProtobufReader(bytes)
        var (seconds, nanoseconds) = (Int64(0), Int32(0))
        if bytes.isEmpty { return nil }
        while let (field, value) = try reader.next() {
            guard case .number(let number) = value else { continue }
            if field == 1 { seconds = Int64(bitPattern: number) }
            if field == 2 { nanoseconds = Int32(truncatingIfNeeded: number) }
        }
        guard (0..<1_000_000_000).contains(nanoseconds) else { throw ProtobufReader.Malformed() }
        // Years outside 1 to 9999 cannot be written; Go's zero time is one of them and means absent.
        guard (-62_135_596_799...253_402_300_799).contains(seconds) else { return nil }
        let time = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
        return .string(isMicro ? time.rfc3339Nano : time.rfc3339)
    }

    private static func quantity(_ bytes: ArraySlice<UInt8>) throws -> JSONValue {
        var reader = ProtobufReader(bytes)
        var text = "0"
        while let (field, value) = try reader.next() {
            if field == 1, case .bytes(let bytes) = value { text = try string(bytes) }
        }
        return .string(text)
    }

    private static func integerOrString(_ bytes: ArraySlice<UInt8>) throws -> JSONValue {
        var reader = ProtobufReader(bytes)
        var isText = false
        var number: Int64 = 0
        var text = ""
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .number(let kind)): isText = kind == 1
            case (2, .number(let bits)): number = Int64(Int32(truncatingIfNeeded: Int64(bitPattern: bits)))
            case (3, .bytes(let bytes)): text = try string(bytes)
            default: break
            }
        }
        return isText ? .string(text) : .integer(number)
    }
}
