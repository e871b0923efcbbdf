import Testing

/// The suites that change the environment of the process, one after the other.
@Suite(.serialized)
enum SystemdEnvironment {}
