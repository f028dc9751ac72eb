import Media
import Testing

@Suite struct HistoryTests {
    private let second: Int64 = 1_000_000_000

    @Test func ofTheLastKeyFrameNothingOlderIsKept() {
        var history = KeptHistory(.lastKeyFrame(atMost: 1000))
        #expect(history.start == nil)
        history.begin(description: 5, now: 0)
        history.add(octets: 400)
        #expect(history.start == 5)
        history.begin(description: 9, now: second)
        #expect(history.start == 9)
        // More key frames behind the same description are the same entry.
        history.begin(description: 9, now: second)
        history.add(octets: 1000)
        #expect(history.start == 9)
        // Too much of it is not kept at all, rather than in part.
        history.add(octets: 1)
        #expect(history.start == nil)
        history.add(octets: 10)
        #expect(history.start == nil)
        history.begin(description: 20, now: 2 * second)
        #expect(history.start == 20)
        history.forget()
        #expect(history.start == nil)
    }

    /// The bus keeps so many messages, and what began before these is of no use.
    @Test func whatTheBusHasLetGoOfIsNotKept() {
        var history = KeptHistory(.time(100 * second))
        for sequence: UInt64 in [10, 20, 30] { history.begin(description: sequence, now: 0) }
        let drops = [10, 11, 31, 40].map { sequence in (history.drop(before: sequence), history.start, history.isOverfull) }
        #expect(drops.map(\.0) == [false, false, true, false])
        #expect(drops.map(\.1) == [10, 20, nil, nil])
        // Nothing is worth keeping until the next key frame.
        #expect(drops.map(\.2) == [false, false, true, true])
        history.begin(description: 50, now: 0)
        #expect(history.start == 50 && !history.isOverfull)
    }

    @Test func aTimeIsCoveredWhole() {
        var history = KeptHistory(.time(5 * second))
        for index in 0..<20 { history.begin(description: UInt64(index), now: Int64(index) * 2 * second) }
        // Now is 38 s: of what began at 32 s some is older than 33 s, and belongs to the five seconds.
        #expect(history.start == 16)
    }

    @Test func anAmountIsMadeOfWholeEntries() {
        var history = KeptHistory(.octets(250))
        for index in 0..<5 {
            history.begin(description: UInt64(index), now: 0)
            history.add(octets: 100)
        }
        #expect(history.start == 3)
    }

    @Test func nothingIsKeptWhereNothingIsAskedFor() {
        var history = KeptHistory(.none)
        history.begin(description: 1, now: 0)
        history.add(octets: 1)
        #expect(history.start == nil)
        #expect(HistoryExtent.usual(for: [Sample.video]) != .none)
        #expect(HistoryExtent.usual(for: [Sample.audio(index: 0)]) == .none)
    }

    /// A description, then sound before the first picture, three key frames with others between, a second description.
    private func points() throws -> EntryPoints {
        var publication = Publication(streams: [Sample.video, Sample.audio(index: 1)], epoch: 7)
        var points = EntryPoints()
        var sequence: UInt64 = 100
        func note(_ size: Int, _ write: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
            defer { room.deallocate() }
            _ = try write(room)
            points.note(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(room)), sender: 1, sequence: sequence)
            sequence += 1
        }
        func packet(_ stream: Int, key: Bool, _ time: Int64) throws {
            var packet = CodedPacket(stream: stream, pts: 0, dts: 0)
            packet.isKey = key
            packet.captureTime = time
            try note(publication.size(payload: 0)) { try publication.write(packet, RawSpan(), into: $0) }
        }
        func describe() throws { try note(publication.descriptionSize) { try publication.writeDescription(into: $0) } }
        try describe()
        try packet(1, key: true, 0)
        try packet(0, key: true, 1)
        try packet(0, key: false, 2)
        try packet(0, key: true, 3)
        try describe()
        try packet(0, key: false, 4)
        try packet(0, key: true, 5)
        return points
    }

    @Test func oneBeginsAtAKeyFrameBehindItsDescription() throws {
        let points = try points()
        #expect(points.points.map(\.key) == [102, 104, 107])
        #expect(points.points.map(\.description) == [100, 100, 105])
        #expect(points.point(for: .last, now: 9)?.key == 107)
        #expect(points.point(for: .all, now: 9)?.key == 102)
        #expect(points.point(for: .since(5), now: 9)?.key == 104)
        // Older than all that is kept: all of it.
        #expect(points.point(for: .since(100), now: 9)?.key == 102)
        #expect(points.point(for: .next, now: 9) == nil)
    }

    @Test func whatIsOverIsNoBeginning() throws {
        var points = try points()
        var publication = Publication(streams: [Sample.video], epoch: 7)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: publication.endSize, alignment: 64)
        defer { room.deallocate() }
        try publication.writeEnd(into: room)
        points.note(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(room)), sender: 1, sequence: 108)
        #expect(points.points.isEmpty && points.description == nil)
    }
}
