public import HummingbirdCore
internal import LinuxKernel

/// Takes new connections while a server has fewer than it may and the process has descriptors to spare.
///
/// Counting alone is late: a connection is counted once it is set up, and a burst is accepted before that.
public struct ConnectionLimit: AvailableConnectionsDelegate {
    private let maximum: Int
    private var count = 0

    /// - Parameter maximum: connections of one server.
    public init(_ maximum: Int) {
        self.maximum = maximum
    }

    public mutating func connectionOpened() { count += 1 }

    public mutating func connectionClosed() { count -= 1 }

    public func isAcceptingNewConnections() -> Bool {
        // Half of them are taken whatever else the process holds: the server looks again only when one of them ends.
        count < maximum / 2 || (count < maximum && OpenFileLimit.hasRoom())
    }
}
