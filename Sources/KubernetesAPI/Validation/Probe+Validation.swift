extension Probe {
    /// What a probe decides about; each has its own rules.
    enum Kind {
        case liveness, readiness, startup
    }

    func validate(at path: FieldPath, kind: Kind) -> [FieldError] {
        var errors = validateHandler(at: path)
        errors += FieldChecks.notNegative(initialDelaySeconds, at: path.child("initialDelaySeconds"))
        errors += FieldChecks.notNegative(timeoutSeconds, at: path.child("timeoutSeconds"))
        errors += FieldChecks.notNegative(periodSeconds, at: path.child("periodSeconds"))
        errors += FieldChecks.notNegative(successThreshold, at: path.child("successThreshold"))
        errors += FieldChecks.notNegative(failureThreshold, at: path.child("failureThreshold"))
        let gracePath = path.child("terminationGracePeriodSeconds")
        switch kind {
        case .liveness, .startup:
            if let successThreshold, successThreshold > 1 {
                errors.append(.invalid(path.child("successThreshold"), successThreshold, "must be 1"))
            }
            if let grace = terminationGracePeriodSeconds, grace <= 0 {
                errors.append(.invalid(gracePath, grace, "must be greater than 0"))
            }
        case .readiness:
            if let grace = terminationGracePeriodSeconds {
                errors.append(.invalid(gracePath, grace, "must not be set for readinessProbes"))
            }
        }
        return errors
    }

    private func validateHandler(at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if let exec { errors += exec.validate(at: path.child("exec")) }
        if let httpGet { errors += httpGet.validate(at: path.child("httpGet")) }
        if let tcpSocket { errors += FieldChecks.port(tcpSocket.port, at: path.child("tcpSocket", "port")) }
        if let grpc { errors += FieldChecks.port(grpc.port, at: path.child("grpc", "port")) }
        let isSet = [
            ("exec", exec != nil), ("httpGet", httpGet != nil), ("tcpSocket", tcpSocket != nil), ("grpc", grpc != nil),
        ]
        return errors + FieldChecks.oneHandler(isSet, at: path)
    }
}

extension Lifecycle {
    func validate(at path: FieldPath, gracePeriodSeconds: Int64) -> [FieldError] {
        var errors = postStart?.validate(at: path.child("postStart"), gracePeriodSeconds: gracePeriodSeconds) ?? []
        errors += preStop?.validate(at: path.child("preStop"), gracePeriodSeconds: gracePeriodSeconds) ?? []
        errors += FieldChecks.vocabulary(stopSignal, Self.stopSignals, at: path.child("stopSignal"))
        return errors
    }
}

extension Lifecycle {
    /// The names of Linux' signals, the real-time ones counted from either end.
    static let stopSignals: [String] = {
        let standard = [
            "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE",
            "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU",
            "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
        ]
        let realTime = (1...15).map { "RTMIN+\($0)" } + (1...14).map { "RTMAX-\($0)" }
        return (standard + realTime).map { "SIG" + $0 }
    }()
}

extension LifecycleHandler {
    func validate(at path: FieldPath, gracePeriodSeconds: Int64) -> [FieldError] {
        var errors: [FieldError] = []
        if let exec { errors += exec.validate(at: path.child("exec")) }
        if let httpGet { errors += httpGet.validate(at: path.child("httpGet")) }
        if let tcpSocket { errors += FieldChecks.port(tcpSocket.port, at: path.child("tcpSocket", "port")) }
        if let sleep, sleep.seconds < 0 || sleep.seconds > gracePeriodSeconds {
            errors.append(
                .invalid(
                    path.child("sleep"), sleep.seconds,
                    "must be non-negative and less than terminationGracePeriodSeconds (\(gracePeriodSeconds))"))
        }
        let isSet = [
            ("exec", exec != nil), ("httpGet", httpGet != nil), ("tcpSocket", tcpSocket != nil),
            ("sleep", sleep != nil),
        ]
        return errors + FieldChecks.oneHandler(isSet, at: path)
    }
}

extension FieldChecks {
    /// Exactly one of the handlers is set; the first one given is kept, the others are reported.
    static func oneHandler(_ handlers: [(name: String, isSet: Bool)], at path: FieldPath) -> [FieldError] {
        let given = handlers.filter(\.isSet)
        if given.isEmpty { return [.required(path, "must specify a handler type")] }
        return given.dropFirst().map {
            .forbidden(path.child($0.name), "may not specify more than 1 handler type")
        }
    }
}

extension ExecAction {
    func validate(at path: FieldPath) -> [FieldError] {
        guard let command, !command.isEmpty else { return [.required(path.child("command"))] }
        return FieldChecks.withoutNUL(command, at: path.child("command"))
    }
}

extension HTTPGetAction {
    func validate(at path: FieldPath) -> [FieldError] {
        var errors = FieldChecks.port(port, at: path.child("port"))
        if let value = self.path {
            if value.isEmpty { errors.append(.required(path.child("path"))) }
            if Self.hasControlCharacter(value) {
                errors.append(.invalid(path.child("path"), value, "must not contain control characters"))
            }
        }
        errors += FieldChecks.vocabulary(scheme, ["HTTP", "HTTPS"], at: path.child("scheme"))
        for (index, header) in (httpHeaders ?? []).enumerated() {
            let path = path.child("httpHeaders").index(index)
            errors += FieldChecks.name(header.name, at: path.child("name"), NameRules.httpHeaderName)
            // A line break in a value would add headers of the author's choice to the agent's request.
            if Self.hasControlCharacter(header.value) {
                errors.append(.invalid(path.child("value"), "<redacted>", "must not contain control characters"))
            }
        }
        return errors
    }

    private static func hasControlCharacter(_ text: String) -> Bool {
        text.utf8.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }
    }
}
