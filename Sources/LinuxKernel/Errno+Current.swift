import Glibc
public import SystemPackage

extension Errno {
    /// The calling thread's error number, to be read right after the call that failed.
    public static var current: Errno { Errno(rawValue: Glibc.errno) }
}
