import LinuxKernel
import SystemPackage

extension LayerStream {
    /// As ``unpack(_:into:)``, by a process that can reach nothing but the directory; in this one only the blob is hashed.
    func unpack(_ source: any ByteSource, into directory: String, in jail: UnpackJail) throws(ImageError)
        -> UnpackedLayer
    {
        let blob = hashing(source)
        let child = try jail.start(
            UnpackRequest(.layer(diffID: diffID, hasParent: hasParent), limits: limits, subject: subject),
            directory: directory)
        let reply: UnpackReply
        do throws(ImageError) {
            reply = try exchange(blob, with: child)
        } catch {
            // Whoever discards the directory is not to meet its process there.
            try? child.end()
            throw error
        }
        try storing(subject) { () throws(KernelError) in try child.end() }
        switch reply {
        case .layer(let layer):
            try blob.drain()
            try verify(blob: blob.digest)
            return layer
        case .failure(let error):
            // A flipped bit may show first as a damaged stream: its cause is what to report.
            if error.code == .invalidArchive || error.code == .digestMismatch, (try? blob.drain()) != nil {
                try verify(blob: blob.digest)
            }
            throw error
        case .attempts, .contents, .entries:
            throw ImageError(.invalidArchive, "\(subject): the unpacker gives a wrong answer")
        }
    }

    private func exchange(_ blob: HashingByteSource, with child: borrowing JailedProcess) throws(ImageError)
        -> UnpackReply
    {
        while true {
            let chunk = try blob.next()
            if chunk.isEmpty { break }
            let goesOn = try UnpackJail.inTime(limits, subject) { () throws(KernelError) in try child.send(chunk) }
            guard goesOn else { break }
        }
        child.finishInput()
        let bytes = try UnpackJail.inTime(limits, subject) { () throws(KernelError) in
            try child.reply(limit: UnpackReply.limitBytes(limits))
        }
        return try UnpackJail.decoded(bytes, limits: limits, subject: subject)
    }
}
