import ContainerImages
import Testing

@testable import NodeAgent

@Suite("What is told of long pulls")
struct PullAnnouncementTests {
    private static func progress(_ received: Int64, of total: Int64 = 100 << 20) -> PullProgress {
        var layer = PullProgress.Layer(digest: "sha256:1", totalBytes: total)
        (layer.receivedBytes, layer.stage) = (received, .downloading)
        var present = PullProgress.Layer(digest: "sha256:0", totalBytes: 1 << 40)
        present.stage = .present
        var progress = PullProgress()
        progress.layers = [present, layer]
        return progress
    }

    @Test("how far it is, at what rate, and how long it may still take")
    func moving() {
        var announcement = PullAnnouncement()
        let first = announcement.next(Self.progress(30 << 20), image: "a:1")
        #expect(!first.isStalled)
        #expect(first.text.hasPrefix("Pulling image \"a:1\": "))
        #expect(first.text.hasSuffix("0 of 1 layers, 1.0 MiB/s, about 70s left"), "\(first.text)")
        let second = announcement.next(Self.progress(45 << 20), image: "a:1")
        #expect(second.text.hasSuffix("about 110s left"), "\(second.text)")
    }

    @Test("that nothing comes any more, or never came")
    func stalled() {
        var announcement = PullAnnouncement()
        #expect(announcement.next(PullProgress(), image: "a:1").isStalled)
        #expect(!announcement.next(Self.progress(30 << 20), image: "a:1").isStalled)
        let third = announcement.next(Self.progress(30 << 20), image: "a:1")
        #expect(third.isStalled)
        #expect(third.text.contains("nothing has come for 30s"))
        #expect(!announcement.next(Self.progress(100 << 20), image: "a:1").isStalled)
    }
}

@Suite("Sizes of images in figures")
struct ImageSizeClassTests {
    @Test(
        "are a kubelet's",
        arguments: [
            (0, "N/A"), (1, "0-10MB"), (10 << 20, "10MB-100MB"), (300 << 20, "100MB-500MB"), (1 << 30, "1GB-5GB"),
            (Int64.max, "GT100GB"), (-1, "N/A"),
        ] as [(Int64, String)])
    func names(bytes: Int64, name: String) { #expect(ImageSizeClass(bytes: bytes).name == name) }
}
