import Glibc

/// What the run is doing, on standard error: standard output carries the result.
enum Progress {
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(2, bytes, bytes.count)
    }
}
