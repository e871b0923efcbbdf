import CLinux
import Glibc

/// How long a call on a socket may wait before it fails with EAGAIN (socket(7)).
public enum SocketTimeout {
    public enum Direction: Sendable {
        case receiving
        case sending
    }

    public static func set(_ socket: Int32, _ direction: Direction, seconds: Int) throws(KernelError) {
        let option = direction == .receiving ? SO_RCVTIMEO : SO_SNDTIMEO
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        try kernelCall("set timeout of socket") { setsockopt(socket, SOL_SOCKET, option, &time, length) }
    }
}
