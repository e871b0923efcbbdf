import CLinux
import Glibc

/// Passes bytes through until the thread that reads them has worked for too long: what a small archive can ask for is not bounded by
/// what it unpacks to alone.
final class ProcessorTimeLimit: ByteSource {
    private let source: any ByteSource
    private let seconds: Int
    private let subject: String
    private let end: Int

    init(_ source: any ByteSource, seconds: Int, subject: String) {
        self.source = source
        self.seconds = seconds
        self.subject = subject
        end = Self.now.addingReportingOverflow(seconds).partialValue
    }

    /// Seconds that this thread has worked.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec
    }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        guard Self.now <= end else {
            throw ImageError(.limitExceeded, "\(subject): takes more than \(seconds) s of processor time to unpack")
        }
        return try source.next()
    }

    func skip(_ count: Int64) -> Int64 { source.skip(count) }
}
