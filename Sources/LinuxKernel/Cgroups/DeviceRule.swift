/// Devices that the processes of a cgroup may make, read or write. What no rule permits is refused with EPERM.
public struct DeviceRule: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case block = "b"
        case character = "c"
    }

    public struct Access: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The kernel's `BPF_DEVCG_ACC_*`.
        public static let makeNode = Access(rawValue: 1)
        public static let read = Access(rawValue: 2)
        public static let write = Access(rawValue: 4)
        public static let all: Access = [.makeNode, .read, .write]
    }

    public var kind: Kind
    /// Nil for all.
    public var major: UInt32?
    public var minor: UInt32?
    public var access: Access

    public init(_ kind: Kind, major: UInt32? = nil, minor: UInt32? = nil, access: Access = .all) {
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    /// The devices of a container without privileges: nodes may be made of any, and used only of those that reach nothing of
    /// the host's. The host's console (5:1) is not among them: a container's console is a pseudo-terminal.
    public static let containerDefault: [DeviceRule] = [
        DeviceRule(.character, major: 1, minor: 3),  // null
        DeviceRule(.character, major: 1, minor: 5),  // zero
        DeviceRule(.character, major: 1, minor: 7),  // full
        DeviceRule(.character, major: 1, minor: 8),  // random
        DeviceRule(.character, major: 1, minor: 9),  // urandom
        DeviceRule(.character, major: 5, minor: 0),  // tty
        DeviceRule(.character, major: 5, minor: 2),  // ptmx
        DeviceRule(.character, major: 136),  // pts/*
        DeviceRule(.character, major: 10, minor: 200),  // net/tun, which needs CAP_NET_ADMIN as well
        DeviceRule(.character, access: .makeNode),
        DeviceRule(.block, access: .makeNode),
    ]

    /// A line of a v1 `devices.allow`.
    var line: String {
        func number(_ value: UInt32?) -> String { value.map { "\($0)" } ?? "*" }
        var letters = ""
        if access.contains(.read) { letters += "r" }
        if access.contains(.write) { letters += "w" }
        if access.contains(.makeNode) { letters += "m" }
        return "\(kind.rawValue) \(number(major)):\(number(minor)) \(letters)"
    }
}
