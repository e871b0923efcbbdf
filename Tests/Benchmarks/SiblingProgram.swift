import LinuxKernel

/// Programs that were built together with this one.
enum SiblingProgram {
    static func path(_ name: String) -> String {
        let own = FileSystem.linkTarget("/proc/self/exe") ?? ""
        return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
    }
}
