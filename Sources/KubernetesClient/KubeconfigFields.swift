import KubernetesAPI

/// A mapping within a kubeconfig that knows where it stands, so that every error names file and field.
struct KubeconfigFields {
    let file: String
    /// E.g. `users[0].user`; empty for the top level.
    let path: String
    let value: JSONValue

    func has(_ name: String) -> Bool {
        guard let field = value[name] else { return false }
        return field != .null
    }

    /// A string; absent and null are nil.
    func string(_ name: String) throws(KubeconfigError) -> String? {
        guard let field = value[name], field != .null else { return nil }
        guard let text = field.stringValue else { throw error(name, "must be a string") }
        return text
    }

    func bool(_ name: String) throws(KubeconfigError) -> Bool? {
        guard let field = value[name], field != .null else { return nil }
        guard let flag = field.boolValue else { throw error(name, "must be true or false") }
        return flag
    }

    /// PEM from `<name>-data` (base64), which wins, or from the file `<name>`.
    func pem(_ name: String) throws(KubeconfigError) -> [UInt8]? {
        if let data = try string("\(name)-data"), !data.isEmpty {
            guard let bytes = Base64.decode(data) else { throw error("\(name)-data", "not base64") }
            return try checkedPEM(bytes, field: "\(name)-data")
        }
        guard let path = try string(name), !path.isEmpty else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try CredentialFile.read(resolved(path))
        } catch {
            throw self.error(name, "\(error)")
        }
        return try checkedPEM(bytes, field: name)
    }

    private func checkedPEM(_ bytes: [UInt8], field: String) throws(KubeconfigError) -> [UInt8] {
        guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN ") else {
            throw error(field, "holds no PEM block (-----BEGIN …)")
        }
        return bytes
    }

    /// The mapping `child` of the entry called `name` in the list `list`.
    func entry(named name: String, list: String, child: String) throws(KubeconfigError) -> KubeconfigFields {
        guard let entries = value[list]?.arrayValue else { throw error(list, "missing or not a list") }
        guard let index = entries.firstIndex(where: { $0["name"]?.stringValue == name }) else {
            let known = entries.compactMap { $0["name"]?.stringValue }.joined(separator: ", ")
            throw error(list, "no entry is named \"\(name)\" (there are: \(known.isEmpty ? "none" : known))")
        }
        let place = "\(list)[\(index)].\(child)"
        guard let mapping = entries[index][child], mapping.objectValue != nil else {
            throw error(place, "missing or not a mapping")
        }
        return KubeconfigFields(file: file, path: place, value: mapping)
    }

    /// A file name, relative ones taken from the directory of the kubeconfig.
    func resolved(_ name: String) -> String {
        if name.hasPrefix("/") { return name }
        guard let slash = file.lastIndex(of: "/") else { return name }
        return "\(file[...slash])\(name)"
    }

    func missing(_ name: String) -> KubeconfigError { error(name, "missing") }

    func error(_ name: String, _ reason: String) -> KubeconfigError {
        KubeconfigError(file: file, field: path.isEmpty ? name : "\(path).\(name)", reason: reason)
    }
}
