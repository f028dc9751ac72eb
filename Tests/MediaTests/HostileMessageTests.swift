import Media
import Testing

/// A neighbour may write anything into its memory. What is read from it is a message or a typed error.
@Suite struct HostileMessageTests {
    private func description() throws -> [UInt8] {
        var publication = Publication(streams: Sample.streams, epoch: 7)
        return try publication.description()
    }

    private func packet() throws -> [UInt8] {
        var publication = Publication(streams: Sample.streams, epoch: 7)
        return try publication.message(Sample.packet(0, key: true), [UInt8](repeating: 5, count: 100))
    }

    @discardableResult
    private func read(_ bytes: [UInt8]) throws -> [StreamDescription] {
        let span = bytes.span.bytes
        let (header, payload) = try MediaMessage.decode(span)
        return header.kind == .description ? try MediaMessage.decodeStreams(span.extracting(payload)) : []
    }

    private func refuses(_ bytes: [UInt8], _ code: MediaError.Code = .malformedMessage, line: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: MediaError.self, sourceLocation: line) { try read(bytes) }
        #expect(error?.code == code, sourceLocation: line)
    }

    private func changed<Value>(_ bytes: [UInt8], at offset: Int, to value: Value) -> [UInt8] {
        var bytes = bytes
        withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
        return bytes
    }

    @Test func everyTruncation() throws {
        for whole in [try description(), try packet()] {
            try read(whole)
            for length in 0..<whole.count { refuses(Array(whole[..<length])) }
        }
    }

    @Test func headerFields() throws {
        let good = try packet()
        refuses(changed(good, at: 0, to: UInt32(0)))
        refuses(changed(good, at: 4, to: UInt16(2)), .unsupportedVersion)
        for size: UInt16 in [0, 64, 100, 127, 129, 256, 65472, 65535] { refuses(changed(good, at: 6, to: size)) }
        for type: UInt16 in [0, 6, 65535] { refuses(changed(good, at: 8, to: type)) }
        for stream: UInt16 in [64, 65535] { refuses(changed(good, at: 10, to: stream)) }
        refuses(changed(good, at: 12, to: UInt32(1) << 3))
        refuses(changed(good, at: 16, to: UInt64(0)))
        refuses(changed(good, at: 56, to: Int64(-1)))
        for base: Int32 in [0, -1, .min] {
            refuses(changed(good, at: 64, to: base))
            refuses(changed(good, at: 68, to: base))
        }
        for size: UInt64 in [101, 1 << 31, 1 << 32, 1 << 63, .max, .max - 127] { refuses(changed(good, at: 80, to: size)) }
        for word in stride(from: 92, to: 128, by: 4) { refuses(changed(good, at: word, to: UInt32(1))) }
    }

    @Test func descriptionFields() throws {
        let good = try description()
        let publication = 128
        let record = 192
        for count: UInt32 in [0, 4, 65, .max] { refuses(changed(good, at: publication, to: count)) }
        for size: UInt32 in [0, 448, 511, 513, 1 << 31, .max] { refuses(changed(good, at: publication + 4, to: size)) }
        refuses(changed(good, at: publication + 8, to: UInt64(1)))
        refuses(changed(good, at: record, to: UInt16(1)))
        for media: UInt16 in [0, 4, .max] { refuses(changed(good, at: record + 2, to: media)) }
        for size: UInt32 in [1 << 20, 1 << 20 + 1, .max, .max - 63] { refuses(changed(good, at: record + 4, to: size)) }
        refuses(changed(good, at: record + 16, to: Int32(0)))
        for field in [56, 60, 64, 68, 72, 76, 80, 84, 88, 92, 96, 100, 104, 108, 112] {
            refuses(changed(good, at: record + field, to: Int32(-1)))
        }
        refuses(changed(good, at: record + 56, to: Int32.max))
        refuses(changed(good, at: record + 416, to: UInt8(1)))
        // Texts: no NUL, no UTF-8, a control character.
        refuses(good.replacing(record + 144, 32, 0x61))
        refuses(changed(good, at: record + 144, to: UInt8(0xff)))
        refuses(changed(good, at: record + 144, to: UInt8(0x1b)))
        refuses(changed(good, at: record + 144, to: UInt8(0)))
    }

    /// Numbers far out of range must not overflow anything on the way to a decoder or a file.
    @Test func wildTimesSaturate() throws {
        for ticks in [Int64.min, .min + 1, -1, 0, .max - 1, .max] {
            for base in [TimeBase(1, .max)!, TimeBase(.max, 1)!, TimeBase(1, 1)!] {
                _ = base.nanoseconds(ticks)
                _ = base.ticks(ticks, from: TimeBase(.max, 1)!)
                var clock = MediaClock()
                _ = clock.due(ticks, base, now: .max)
                _ = clock.due(.min, base, now: .min)
            }
        }
        #expect(TimeBase(.max, 1)!.nanoseconds(.max) == .max)
        #expect(TimeBase(.max, 1)!.nanoseconds(.min) == .min)
    }

    @Test(arguments: 0..<8) func seededNoise(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let whole = [try description(), try packet()]
        var gate = StreamGate()
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = whole[Int(random.next() % 2)]
            for _ in 0...(random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count))
                bytes[place] = random.next() % 4 == 0 ? 0xff : UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            do {
                try read(bytes)
                _ = try gate.receive(bytes.span.bytes)
                accepted += 1
            } catch let error as MediaError {
                #expect(error.code == .malformedMessage || error.code == .unsupportedVersion)
            }
        }
        // Otherwise it would only have tested the magic number.
        #expect(accepted > 100)
    }
}

extension [UInt8] {
    fileprivate func replacing(_ offset: Int, _ count: Int, _ octet: UInt8) -> [UInt8] {
        var bytes = self
        bytes.replaceSubrange(offset..<offset + count, with: repeatElement(octet, count: count))
        return bytes
    }
}

/// Seeded, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
