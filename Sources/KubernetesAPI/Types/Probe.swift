/// A periodic check of a container. Exactly one of `exec`, `httpGet`, `tcpSocket` and `grpc` is set.
public struct Probe: Codable, Hashable, Sendable {
    public var exec: ExecAction?
    public var httpGet: HTTPGetAction?
    public var tcpSocket: TCPSocketAction?
    public var grpc: GRPCAction?
    /// Seconds after the container's start before the first check.
    public var initialDelaySeconds: Int32?
    /// Seconds; absent means 1.
    public var timeoutSeconds: Int32?
    /// Seconds; absent means 10.
    public var periodSeconds: Int32?
    /// Absent means 1.
    public var successThreshold: Int32?
    /// Absent means 3.
    public var failureThreshold: Int32?
    /// Replaces the pod's, in seconds, when this probe's failure kills the container.
    public var terminationGracePeriodSeconds: Int64?

    public init(
        exec: ExecAction? = nil, httpGet: HTTPGetAction? = nil, tcpSocket: TCPSocketAction? = nil,
        grpc: GRPCAction? = nil, initialDelaySeconds: Int32? = nil, timeoutSeconds: Int32? = nil,
        periodSeconds: Int32? = nil, successThreshold: Int32? = nil, failureThreshold: Int32? = nil,
        terminationGracePeriodSeconds: Int64? = nil
    ) {
        self.exec = exec
        self.httpGet = httpGet
        self.tcpSocket = tcpSocket
        self.grpc = grpc
        self.initialDelaySeconds = initialDelaySeconds
        self.timeoutSeconds = timeoutSeconds
        self.periodSeconds = periodSeconds
        self.successThreshold = successThreshold
        self.failureThreshold = failureThreshold
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
    }
}

/// Runs a command in the container; exit code 0 is success.
public struct ExecAction: Codable, Hashable, Sendable {
    /// Not run in a shell.
    public var command: [String]?

    public init(command: [String]? = nil) {
        self.command = command
    }
}

/// Makes an HTTP request.
public struct HTTPGetAction: Codable, Hashable, Sendable {
    /// Absent means `/`.
    public var path: String?
    @ZeroIfAbsent public var port: IntOrString
    /// Absent means the pod's address.
    public var host: String?
    /// `HTTP` (the default) or `HTTPS`.
    public var scheme: String?
    public var httpHeaders: [HTTPHeader]?

    public init(
        path: String? = nil, port: IntOrString = .int(0), host: String? = nil, scheme: String? = nil,
        httpHeaders: [HTTPHeader]? = nil
    ) {
        self.path = path
        self.port = port
        self.host = host
        self.scheme = scheme
        self.httpHeaders = httpHeaders
    }
}

/// One header of an ``HTTPGetAction``. Its description never shows the value.
public struct HTTPHeader: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var value: String

    public init(name: String = "", value: String = "") {
        self.name = name
        self.value = value
    }
}

/// Opens a TCP connection.
public struct TCPSocketAction: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var port: IntOrString
    /// Absent means the pod's address.
    public var host: String?

    public init(port: IntOrString = .int(0), host: String? = nil) {
        self.port = port
        self.host = host
    }
}

/// Calls the gRPC health service.
public struct GRPCAction: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var port: Int32
    public var service: String?

    public init(port: Int32 = 0, service: String? = nil) {
        self.port = port
        self.service = service
    }
}

/// Waits.
public struct SleepAction: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var seconds: Int64

    public init(seconds: Int64 = 0) {
        self.seconds = seconds
    }
}

/// What runs right after the start and right before the stop of a container.
public struct Lifecycle: Codable, Hashable, Sendable {
    public var postStart: LifecycleHandler?
    public var preStop: LifecycleHandler?
    /// Replaces the image's stop signal, for example `SIGUSR1`.
    public var stopSignal: String?

    public init(postStart: LifecycleHandler? = nil, preStop: LifecycleHandler? = nil, stopSignal: String? = nil) {
        self.postStart = postStart
        self.preStop = preStop
        self.stopSignal = stopSignal
    }
}

/// One hook. Exactly one field is set.
public struct LifecycleHandler: Codable, Hashable, Sendable {
    public var exec: ExecAction?
    public var httpGet: HTTPGetAction?
    /// Accepted for compatibility; never runs.
    public var tcpSocket: TCPSocketAction?
    public var sleep: SleepAction?

    public init(
        exec: ExecAction? = nil, httpGet: HTTPGetAction? = nil, tcpSocket: TCPSocketAction? = nil,
        sleep: SleepAction? = nil
    ) {
        self.exec = exec
        self.httpGet = httpGet
        self.tcpSocket = tcpSocket
        self.sleep = sleep
    }
}
