public import KubernetesAPI

/// What of the machine is set aside for what is no pod.
public struct NodeReservation: Hashable, Sendable {
    /// For the system's own services.
    public var system: [String: Quantity]
    /// For swiftlet and its helpers.
    public var agent: [String: Quantity]

    /// The names an amount can be reserved under.
    public static let names: Set<String> = ["cpu", "memory", "ephemeral-storage", "pid"]

    public init(system: [String: Quantity] = [:], agent: [String: Quantity] = [:]) {
        self.system = system
        self.agent = agent
    }

    /// Of both together.
    public func amount(_ name: String) -> Quantity { (system[name] ?? .zero) + (agent[name] ?? .zero) }

    /// Reads `cpu=200m,memory=500Mi`; what is wrong is told in one line.
    public static func parse(_ text: String) throws(ReservationError) -> [String: Quantity] {
        var amounts: [String: String] = [:]
        for part in text.split(separator: ",") {
            guard let equals = part.firstIndex(of: "=") else {
                throw ReservationError("\"\(part)\" is no NAME=QUANTITY, such as memory=500Mi")
            }
            let name = String(part[..<equals])
            guard amounts.updateValue(String(part[part.index(after: equals)...]), forKey: name) == nil else {
                throw ReservationError("\(name) is given twice")
            }
        }
        return try parse(amounts)
    }

    /// The same from names and quantities.
    public static func parse(_ texts: [String: String]) throws(ReservationError) -> [String: Quantity] {
        var amounts: [String: Quantity] = [:]
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            guard names.contains(name) else {
                throw ReservationError(
                    "\"\(name)\" cannot be reserved; known: \(names.sorted().joined(separator: ", "))")
            }
            guard let quantity = try? Quantity(parsing: text), !quantity.isNegative else {
                throw ReservationError("\(name)=\(text) is no amount; give such as cpu=200m or memory=500Mi")
            }
            amounts[name] = quantity
        }
        return amounts
    }
}

/// A reservation that cannot be read.
public struct ReservationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
