import KubernetesAPI

/// Objects to bytes and back, with errors that name the request.
enum ResourceCoding {
    static func value(_ bytes: [UInt8], request: String) throws(APIError) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw .transport(.malformedResponse, "the answer is not JSON: \(error)", request: request)
        }
    }

    static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue, request: String) throws(APIError) -> T {
        do {
            return try JSONValueDecoder().decode(type, from: value)
        } catch {
            throw .transport(.malformedResponse, "the answer is not a \(type): \(error)", request: request)
        }
    }

    static func encode(_ value: some Encodable, request: String) throws(APIError) -> [UInt8] {
        do {
            return try JSONValueEncoder().encode(value).serialized()
        } catch {
            throw .transport(.invalidRequest, "the object cannot be encoded: \(error)", request: request)
        }
    }

    /// Reads one item; what does not fit the type is described instead of thrown.
    static func item<T: KubernetesResource>(_ type: T.Type, _ value: JSONValue) -> Result<T, UndecodableError> {
        do {
            let object = try JSONValueDecoder().decode(type, from: value)
            guard object.metadata.name?.isEmpty == false else {
                return .failure(UndecodableError(object: UndecodableObject(value, reason: "metadata.name: missing")))
            }
            return .success(object)
        } catch {
            return .failure(UndecodableError(object: UndecodableObject(value, reason: "\(error)")))
        }
    }

    struct UndecodableError: Error { var object: UndecodableObject }
}
