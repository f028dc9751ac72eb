import CALSA
import Testing

@testable import ALSA

/// What samples become that no codec has as cards do.
struct SampleTests {
    @Test(arguments: [
        ("S24_LE", [UInt8](arrayLiteral: 1, 2, 3, 0, 0xFD, 0xFE, 0xFF, 0xFF), [UInt8](arrayLiteral: 0, 1, 2, 3, 0, 0xFD, 0xFE, 0xFF)),
        ("S24_BE", [0, 3, 2, 1, 0xFF, 0xFF, 0xFE, 0xFD], [3, 2, 1, 0, 0xFF, 0xFE, 0xFD, 0]),
    ])
    func threeOctetsThatLieLowGoToTheTop(name: String, samples: [UInt8], expected: [UInt8]) throws {
        let format = try #require(SampleFormat.all.first { $0.text == name })
        #expect(format.isLow && format.bits == 32)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: samples.count, alignment: 4)
        defer { room.deallocate() }
        // From elsewhere, and where they lie.
        let card = UnsafeMutableRawBufferPointer.allocate(byteCount: samples.count, alignment: 4)
        defer { card.deallocate() }
        card.copyBytes(from: samples)
        format.raise(UnsafeRawPointer(card.baseAddress!), into: room)
        #expect(Array(room) == expected)
        format.raise(UnsafeRawPointer(card.baseAddress!), into: card)
        #expect(Array(card) == expected)
    }

    @Test func formatsHaveTheirUsersNames() {
        for (word, text) in [
            ("s16", "S16_LE"), ("S24_3LE", "S24_3LE"), ("pcm_s24le", "S24_3LE"), ("s24", "S24_LE"), ("s32le", "S32_LE"), ("u8", "U8"),
        ] {
            #expect(SampleFormat.all.first { $0.isCalled(word) }?.text == text)
        }
    }
}
