internal import Crypto
internal import KubernetesAPI
internal import LinuxKernel

/// Seals the values of secrets in the database: AES-256-GCM with a key of the endpoint's own, so that a copy of the file, or a disk
/// that keeps what was deleted, gives none of them away. The key lies in `pki/`, as the keys of the authority do.
struct ObjectSeal: Sendable {
    /// Before a sealed value. JSON never begins with it, so values of an earlier release are told apart.
    static let marker: UInt8 = 1
    private static let keyBytes = 32

    private let key: SymmetricKey

    init(key: SymmetricKey = SymmetricKey(size: .bits256)) {
        self.key = key
    }

    /// Loads the key, or makes one with mode 0600.
    static func loadOrCreate(directory: String) throws(CertificateError) -> ObjectSeal {
        let path = directory + "/secrets.key"
        do {
            if FileSystem.exists(path) {
                let bytes = try FileSystem.read(path, limit: 4096)
                guard bytes.count == keyBytes else {
                    throw CertificateError(
                        name: "secrets.key", directory: directory,
                        reason: "it has \(bytes.count) bytes, not \(keyBytes)")
                }
                return ObjectSeal(key: SymmetricKey(data: bytes))
            }
            let made = SymmetricKey(size: .bits256)
            try FileSystem.writeAtomically(path, made.withUnsafeBytes { Array($0) }, mode: 0o600)
            return ObjectSeal(key: made)
        } catch let error as CertificateError {
            throw error
        } catch {
            throw CertificateError(name: "secrets.key", directory: directory, reason: "\(error)")
        }
    }

    /// Whether objects of the kind are kept sealed.
    static func covers(_ resource: ResourceID) -> Bool { resource == ResourceID(group: "", plural: "secrets") }

    static func isSealed(_ value: [UInt8]) -> Bool { value.first == marker }

    /// Bound to the row: a sealed value moved to another is not opened there.
    func seal(_ json: [UInt8], of object: ObjectKey) throws -> [UInt8] {
        let box = try AES.GCM.seal(json, using: key, authenticating: Array(object.path.utf8))
        return [Self.marker] + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    func open(_ value: [UInt8], of object: ObjectKey) throws -> [UInt8] {
        let box = try AES.GCM.SealedBox(combined: value.dropFirst())
        return Array(try AES.GCM.open(box, using: key, authenticating: Array(object.path.utf8)))
    }
}
