import Testing

@testable import NodeAgent

@Suite("Names of rotated logs")
struct RotatedLogTests {
    @Test("the old files of one log are found, oldest first, and nothing else is")
    func find() {
        let names = [
            "0.log", "0.log.20260102-150406", "0.log.20260102-150405.000001", "0.log.20260102-150405.gz",
            "0.log.20260102-150404.gz.tmp", "0.log.next", "0.log.2026-150405", "0.log.20260102-150405.1",
            "10.log.20260101-000000", "0.log.20260102-15040x",
        ]
        let found = RotatedLog.find("0.log", in: names)
        #expect(
            found.map(\.fileName) == [
                "0.log.20260102-150405.gz", "0.log.20260102-150405.000001", "0.log.20260102-150406",
            ])
        #expect(RotatedLog.logs(in: names) == ["0.log", "10.log"])
    }

    @Test("while a file is being compressed the plain one counts, whichever comes first")
    func both() {
        let names = ["0.log.20260102-150405", "0.log.20260102-150405.gz"]
        for names in [names, names.reversed()] {
            #expect(RotatedLog.find("0.log", in: names).map(\.fileName) == ["0.log.20260102-150405"])
        }
    }

    @Test("all but the newest old file of each log are compressed")
    func due() {
        let names = [
            "0.log", "0.log.20260102-150405", "0.log.20260102-150406", "0.log.20260102-150404.gz", "1.log",
            "1.log.20260102-150405", "0.log.20260102-150403.gz.tmp",
        ]
        #expect(LogCompression.due(in: names).map(\.name) == ["0.log.20260102-150405"])
        #expect(LogCompression.leftovers(in: names) == ["0.log.20260102-150403.gz.tmp"])
    }
}
