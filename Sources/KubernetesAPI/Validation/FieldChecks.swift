/// Checks that many kinds share. Each answers with what is wrong with one field.
enum FieldChecks {
    static let notNegative = "must be greater than or equal to 0"
    static let immutable = "field is immutable"

    /// A value under one of the ``NameRules``.
    static func name(_ value: String, at path: FieldPath, _ rule: (String) -> [String]) -> [FieldError] {
        rule(value).map { .invalid(path, value, $0) }
    }

    /// A required value under one of the ``NameRules``.
    static func requiredName(_ value: String?, at path: FieldPath, _ rule: (String) -> [String]) -> [FieldError] {
        guard let value, !value.isEmpty else { return [.required(path)] }
        return name(value, at: path, rule)
    }

    /// One value of a closed vocabulary; absent and empty are for defaulting, so nothing is said about them.
    static func vocabulary<Vocabulary>(
        _ value: String?, _: Vocabulary.Type, at path: FieldPath
    ) -> [FieldError] where Vocabulary: RawRepresentable<String> & CaseIterable {
        vocabulary(value, Vocabulary.allCases.map(\.rawValue), at: path)
    }

    static func vocabulary(_ value: String?, _ supported: [String], at path: FieldPath) -> [FieldError] {
        guard let value, !value.isEmpty, !supported.contains(value) else { return [] }
        return [.notSupported(path, value, supported)]
    }

    static func notNegative(_ value: (some FixedWidthInteger)?, at path: FieldPath) -> [FieldError] {
        guard let value, value < 0 else { return [] }
        return [.invalid(path, value, notNegative)]
    }

    static func range<Number: FixedWidthInteger>(
        _ value: Number?, _ range: ClosedRange<Number>, at path: FieldPath
    ) -> [FieldError] {
        guard let value, !range.contains(value) else { return [] }
        return [.invalid(path, value, "must be between \(range.lowerBound) and \(range.upperBound), inclusive")]
    }

    /// A TCP or UDP port number.
    static func port(_ value: Int32, at path: FieldPath) -> [FieldError] {
        range(value, 1...65535, at: path)
    }

    /// A port by number or by name.
    static func port(_ value: IntOrString, at path: FieldPath) -> [FieldError] {
        switch value {
        case .int(let number): port(number, at: path)
        case .string(let name): self.name(name, at: path, NameRules.portName)
        }
    }

    /// File mode bits.
    static func fileMode(_ value: Int32?, at path: FieldPath) -> [FieldError] {
        guard let value, !(0...0o777).contains(value) else { return [] }
        return [.invalid(path, value, "must be a number between 0 and 0777 (octal), both inclusive")]
    }

    /// A path no component of which is `..`.
    static func pathWithoutBacksteps(_ value: String, at path: FieldPath) -> [FieldError] {
        var errors = withoutNUL(value, at: path)
        let components = value.utf8.split(separator: UInt8(ascii: "/"))
        if components.contains(where: { $0.elementsEqual("..".utf8) }) {
            errors.append(.invalid(path, value, "must not contain '..'"))
        }
        return errors
    }

    /// A relative path that stays below where it starts.
    static func descendingPath(_ value: String, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if value.utf8.first == UInt8(ascii: "/") { errors.append(.invalid(path, value, "must be a relative path")) }
        return errors + pathWithoutBacksteps(value, at: path)
    }

    /// A relative path that also keeps clear of the names a volume uses for its own bookkeeping (`..data`).
    static func projectedPath(_ value: String, at path: FieldPath) -> [FieldError] {
        var errors = descendingPath(value, at: path)
        if errors.isEmpty && value.utf8.starts(with: "..".utf8) {
            errors.append(.invalid(path, value, "must not start with '..'"))
        }
        return errors
    }

    /// Text that reaches the kernel as a C string: a NUL would silently cut it short.
    static func withoutNUL(_ value: String, at path: FieldPath) -> [FieldError] {
        value.utf8.contains(0) ? [.invalid(path, value, "must not contain the NUL character")] : []
    }

    static func withoutNUL(_ values: [String]?, at path: FieldPath) -> [FieldError] {
        (values ?? []).enumerated().flatMap { withoutNUL($1, at: path.index($0)) }
    }

    static func ipAddress(_ value: String, at path: FieldPath) -> [FieldError] {
        IPAddressText.isValid(value)
            ? []
            : [.invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    }

    /// Labels, annotations' relatives and node selectors: qualified keys, label values.
    static func labels(_ labels: [String: String]?, at path: FieldPath) -> [FieldError] {
        (labels ?? [:]).sorted { $0.key < $1.key }.flatMap { key, value in
            name(key, at: path, NameRules.qualifiedName) + name(value, at: path, NameRules.labelValue)
        }
    }
}
