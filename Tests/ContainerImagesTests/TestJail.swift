import ContainerRuntime
import Glibc
import LinuxKernel

@testable import ContainerImages

/// The jail of the tests: the program that SwiftPM builds beside them.
enum TestJail {
    static let shared: UnpackJail? = (try? UnpackingFilter.program()).map { UnpackJail(program: program, filter: $0) }

    static var program: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? 0
        }
        let executable = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        return executable.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/swiftlet"
    }
}

/// Where a test has its layers unpacked.
enum Confinement: CaseIterable, Sendable {
    case jailed, inProcess

    var jail: UnpackJail? { self == .jailed ? TestJail.shared : nil }
}

extension ImageManager {
    /// As on a node.
    init(root: String, limits: UnpackLimits = UnpackLimits()) {
        self.init(root: root, limits: limits, confinement: TestJail.shared)
    }
}
