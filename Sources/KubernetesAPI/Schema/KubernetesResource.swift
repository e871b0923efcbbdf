/// A top-level API object: it has a kind, object metadata and a place in the API's paths.
public protocol KubernetesResource: Codable, Hashable, Sendable {
    static var definition: ResourceDefinition { get }
    var metadata: ObjectMeta { get set }
}

/// A type that fills the fields its user left out, as the API server does on write.
public protocol Defaultable {
    /// Applying defaults twice gives the same as applying them once.
    mutating func applyDefaults()
}

/// A type that can say what is wrong with it.
public protocol Validatable {
    /// Every problem found, with paths from this value as the root; empty when it is valid.
    func validate() -> [FieldError]
}
