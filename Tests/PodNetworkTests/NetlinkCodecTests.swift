import CLinux
import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

/// The bytes are those of a little-endian machine, as an independent tool (iproute2 under strace) sends and receives
/// them.
@Suite("The netlink codec")
struct NetlinkCodecTests {
    @Test("an address request is header, ifaddrmsg and two attributes")
    func addressRequest() {
        let request = NetlinkRequest.addAddress(InterfaceAddress(link: 7, bytes: [10, 0, 0, 2], prefixLength: 24))
        #expect(
            request.bytes == [
                40, 0, 0, 0, 20, 0, 0x05, 0x05, 0, 0, 0, 0, 0, 0, 0, 0,
                2, 24, 0, 0, 7, 0, 0, 0,
                8, 0, 2, 0, 10, 0, 0, 2,
                8, 0, 1, 0, 10, 0, 0, 2,
            ])
    }

    @Test("a link request pads its name and says which flag it changes")
    func linkRequest() {
        let request = NetlinkRequest.configureLink("lo", mtu: 1500)
        #expect(
            request.bytes == [
                48, 0, 0, 0, 16, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
                7, 0, 3, 0, 0x6c, 0x6f, 0, 0,
                8, 0, 4, 0, 0xdc, 0x05, 0, 0,
            ])
    }

    @Test("hairpin mode is a nested, flagged attribute of the bridge family")
    func hairpinRequest() {
        #expect(
            NetlinkRequest.setHairpin(port: 9).bytes == [
                44, 0, 0, 0, 19, 0, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                12, 0, 12, 0x80, 5, 0, 4, 0, 1, 0, 0, 0,
            ])
    }

    @Test("a default route names gateway and link")
    func routeRequest() {
        #expect(
            NetlinkRequest.addDefaultRoute(gateway: [10, 0, 0, 1], link: 3).bytes == [
                44, 0, 0, 0, 24, 0, 0x05, 0x05, 0, 0, 0, 0, 0, 0, 0, 0,
                2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0,
                8, 0, 5, 0, 10, 0, 0, 1,
                8, 0, 4, 0, 3, 0, 0, 0,
            ])
    }

    @Test("a bridge port's description is read in full")
    func link() throws {
        let body: [UInt8] = [
            0, 0, 1, 0, 12, 0, 0, 0, 0x43, 0x10, 1, 0, 0, 0, 0, 0,
            9, 0, 3, 0, 0x76, 0x65, 0x74, 0x68, 0, 0, 0, 0,
            8, 0, 4, 0, 0x78, 0x05, 0, 0,
            8, 0, 10, 0, 4, 0, 0, 0,
            10, 0, 1, 0, 2, 1, 2, 3, 4, 5, 0, 0,
            16, 0, 18, 0, 9, 0, 1, 0, 0x76, 0x65, 0x74, 0x68, 0, 0, 0, 0,
        ]
        let link = try NetworkLink(parsing: body[...])
        let expected = NetworkLink(
            index: 12, name: "veth", isUp: true, mtu: 1400, address: [2, 1, 2, 3, 4, 5], master: 4, kind: "veth")
        #expect(link == expected)
    }

    @Test("a refusal carries its errno and the kernel's own words")
    func extendedAcknowledgement() throws {
        let datagram: [UInt8] = [
            48, 0, 0, 0, 2, 0, 0x00, 0x03, 5, 0, 0, 0, 0, 0, 0, 0,
            0xea, 0xff, 0xff, 0xff,
            32, 0, 0, 0, 16, 0, 5, 0, 5, 0, 0, 0, 0, 0, 0, 0,
            10, 0, 1, 0, 0x6e, 0x6f, 0x20, 0x6d, 0x65, 0, 0, 0,
        ]
        let message = try #require(try NetlinkMessage.parse(datagram[...]).first)
        let verdict = try #require(try message.verdict())
        #expect(message.sequence == 5)
        #expect(verdict.errno == .invalidArgument)
        #expect(verdict.text == "no me")
    }

    @Test("an acknowledgement of success has no verdict to report")
    func acknowledgement() throws {
        let datagram: [UInt8] = [20, 0, 0, 0, 2, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let message = try #require(try NetlinkMessage.parse(datagram[...]).first)
        #expect(try message.verdict() == nil)
    }

    @Test(
        "lengths that do not fit are EBADMSG",
        arguments: [
            [1], [15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func malformedMessage(bytes: [UInt8]) {
        let error = #expect(throws: KernelError.self) { try NetlinkMessage.parse(bytes[...]) }
        #expect(error?.errno == .badMessage)
    }

    @Test(
        "attributes that do not fit are EBADMSG",
        arguments: [[3, 0, 1, 0], [5, 0, 1, 0], [0xff, 0xff, 1, 0, 9]] as [[UInt8]])
    func malformedAttribute(bytes: [UInt8]) {
        let error = #expect(throws: KernelError.self) { try NetlinkAttributes(parsing: bytes[...]) }
        #expect(error?.errno == .badMessage)
    }

    @Test("no bytes make the parsers read past the end", arguments: 0..<8 as Range<UInt64>)
    func noise(seed: UInt64) {
        var random = SplitMix64(state: seed)
        for _ in 0..<2000 {
            // Small numbers are plausible lengths, which get further than noise does.
            let bytes = (0..<random.below(96)).map { _ in
                UInt8(random.below(3) == 0 ? random.below(256) : random.below(24))
            }
            let slice = bytes.dropFirst(min(bytes.count, random.below(4)))
            let messages = try? NetlinkMessage.parse(slice)
            for message in messages ?? [] { #expect(message.payload.endIndex <= slice.endIndex) }
            _ = try? messages?.first?.verdict()
            _ = try? NetworkLink(parsing: slice)
            _ = try? InterfaceAddress(parsing: slice)
            _ = try? NetworkRoute(parsing: slice)
        }
    }

    @Test("an attribute longer than its length field is refused before it is sent")
    func oversized() {
        var writer = NetlinkWriter()
        writer.nested(1) { $0.attribute(2, [UInt8](repeating: 0, count: 65532)) }
        #expect(writer.isOversized)
    }
}
