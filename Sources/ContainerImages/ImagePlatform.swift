import Glibc

/// The operating system and processor images must be made for, in the OCI's (Go's) terms.
struct ImagePlatform: Hashable, CustomStringConvertible {
    let os: String
    let architecture: String

    var description: String { os + "/" + architecture }

    /// This machine.
    static let host = ImagePlatform(os: "linux", architecture: hostArchitecture())

    private static func hostArchitecture() -> String {
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        switch machine {
        case "x86_64": return "amd64"
        case "aarch64": return "arm64"
        case "armv7l", "armv6l": return "arm"
        case "i686", "i586", "i386": return "386"
        case "loongarch64": return "loong64"
        // riscv64, ppc64le, s390x: the same word in both worlds.
        default: return machine
        }
    }
}
