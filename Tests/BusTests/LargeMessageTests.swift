import Glibc
import IPN
import Testing
import TestSupport

/// Messages as large as they come.
@Suite(.serialized) struct LargeMessageTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private static let gibibyte = 1 << 30

    private static var isMemoryEnough: Bool {
        Int(sysconf(CInt(_SC_AVPHYS_PAGES))) * Int(sysconf(CInt(_SC_PAGESIZE))) > 4 * gibibyte
    }

    @Test(.enabled(if: isMemoryEnough, "less than 4 GiB of memory are free"))
    func aGibibyteIsOneMessage() throws {
        let writer = try Node(binding: path, options: .with { $0.mtu = Self.gibibyte })
        let reader = try Node(connecting: path)
        expect(throws: errno(EMSGSIZE)) { try writer.send(Self.gibibyte + 1) { _ in } }
        try writer.send(Self.gibibyte, tag: 5) { bytes in
            // A word in each page: every page is there, and no two are the same.
            for offset in stride(from: 0, to: bytes.count, by: 4096) {
                bytes.storeBytes(of: SeededRandom.mix(UInt64(offset)), toByteOffset: offset, as: UInt64.self)
            }
            bytes[bytes.count - 1] = 0xa5
        }
        let isWhole = try reader.withMessage { message -> Bool in
            guard message.count == Self.gibibyte, message.tag == 5, message.bytes[message.count - 1] == 0xa5 else { return false }
            for offset in stride(from: 0, to: message.count, by: 4096)
            where message.bytes.load(fromByteOffset: offset, as: UInt64.self) != SeededRandom.mix(UInt64(offset)) {
                return false
            }
            return true
        }
        #expect(isWhole == true)
        try writer.send("small")
        #expect(try #require(try reader.receive()).bytes == Array("small".utf8))
    }

    @Test func picturesOfManySizesAcrossProcesses() throws {
        let writer = try Node(
            binding: path,
            options: .with {
                $0.mtu = 9 << 20
                $0.isLossless = true
                $0.poolSize = 3
            })
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        try reader.tell("collect 12")
        var sum: UInt64 = 0
        for (index, size) in [0, 1, 4096, 65_537, 1 << 20, 3_110_400, 9 << 20, 5, 6_220_800, 9 << 20, 1 << 22, 100].enumerated() {
            sum += UInt64(index)
            try writer.send(size, tag: UInt64(index)) { Pattern.fill($0, seed: UInt64(index)) }
        }
        #expect(try reader.answer() == "ok 12 \(sum) 1")
    }
}
