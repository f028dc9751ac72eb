import Media
import Testing

@Suite struct StreamGateTests {
    var publication = Publication(streams: Sample.streams, epoch: 7)
    var gate = StreamGate()

    private mutating func receive(_ message: [UInt8]) throws -> StreamGate.Verdict { try gate.receive(message.span.bytes) }

    private mutating func send(_ stream: Int, key: Bool = false) throws -> StreamGate.Verdict {
        try receive(publication.message(Sample.packet(stream, key: key)))
    }

    /// Sent, and lost on the way.
    private mutating func lose(_ stream: Int, key: Bool = false) throws {
        _ = try publication.message(Sample.packet(stream, key: key))
    }

    private mutating func describe() throws -> StreamGate.Verdict { try receive(publication.description()) }

    private func delivered(_ verdict: StreamGate.Verdict) -> CodedPacket? {
        if case .deliver(let packet, _) = verdict { packet } else { nil }
    }

    private func isDelivered(_ verdict: StreamGate.Verdict) -> Bool {
        delivered(verdict) != nil
    }

    @Test mutating func joinerWaitsForDescriptionThenKeyFrame() throws {
        try lose(0, key: true)
        try lose(1)
        #expect(try send(0, key: true) == .drop(.noDescription))
        #expect(try describe() == .newDescription(Sample.streams))
        #expect(try send(1) == .drop(.awaitingVideo))
        #expect(try send(0) == .drop(.awaitingKeyFrame))
        #expect(try send(0, key: true) == .deliver(Sample.packet(0, key: true), payload: 128..<131))
        #expect(isDelivered(try send(1)))
        #expect(try describe() == .drop(.repeatedDescription))
        #expect(isDelivered(try send(0)))
        #expect(gate.lostCount == 0)
    }

    @Test mutating func whoIsThereFromTheBeginningMissesNoSound() throws {
        _ = try describe()
        #expect(isDelivered(try send(1)))
        #expect(isDelivered(try send(0, key: true)))
    }

    /// Whoever needs a picture that cannot be shown would be broken; sound goes on.
    @Test mutating func whatHasNoTimeIsMissing() throws {
        func timeless(_ stream: Int, key: Bool = false) -> CodedPacket {
            var packet = CodedPacket(stream: stream, pts: nil, dts: nil)
            packet.isKey = key
            return packet
        }
        _ = try describe()
        #expect(try receive(publication.message(timeless(0, key: true))) == .drop(.noTime(stream: 0)))
        #expect(try send(0) == .drop(.awaitingKeyFrame))
        #expect(isDelivered(try send(0, key: true)))
        #expect(try receive(publication.message(timeless(1))) == .drop(.noTime(stream: 1)))
        let sound = delivered(try send(1))
        #expect(sound?.isDiscontinuity == true && sound?.lost == 1)
        #expect(isDelivered(try send(0)))
        #expect(try receive(publication.message(timeless(0))) == .drop(.noTime(stream: 0)))
        #expect(try send(0) == .drop(.awaitingKeyFrame))
        let picture = delivered(try send(0, key: true))
        #expect(picture?.isDiscontinuity == true && picture?.lost == 1)
        #expect(gate.lostCount == 0)
    }

    @Test mutating func soundAloneNeedsNoPicture() throws {
        publication = Publication(streams: [Sample.audio(index: 0)], epoch: 8)
        try lose(0)
        _ = try describe()
        #expect(isDelivered(try send(0)))
    }

    @Test mutating func lostPictureWaitsForKeyFrameAndSaysHowMuch() throws {
        _ = try describe()
        _ = try send(0, key: true)
        try lose(0)
        try lose(0)
        #expect(isDelivered(try send(1)))
        #expect(try send(0) == .drop(.awaitingKeyFrame))
        let packet = try #require(delivered(try send(0, key: true)))
        #expect(packet.isDiscontinuity)
        #expect(packet.lost == 2)
        #expect(gate.lostCount == 2)
        let next = try #require(delivered(try send(0)))
        #expect(!next.isDiscontinuity && next.lost == 0)
    }

    @Test mutating func lostSoundCostsNoPicture() throws {
        _ = try describe()
        _ = try send(0, key: true)
        _ = try send(1)
        try lose(1)
        #expect(isDelivered(try send(0)))
        let packet = try #require(delivered(try send(1)))
        #expect(packet.lost == 1)
    }

    @Test mutating func newEpochReplacesAndTheOldOneStaysOut() throws {
        _ = try describe()
        var successor = Publication(streams: [Sample.audio(index: 0)], epoch: 9)
        #expect(try receive(successor.message(Sample.packet(0))) == .drop(.noDescription))
        #expect(try receive(successor.description()) == .newDescription([Sample.audio(index: 0)]))
        #expect(try send(0, key: true) == .drop(.retiredEpoch))
        #expect(try describe() == .drop(.retiredEpoch))
        #expect(try receive(publication.end()) == .drop(.retiredEpoch))
        #expect(isDelivered(try receive(successor.message(Sample.packet(0)))))
        #expect(try receive(successor.end()) == .end)
        // Nobody is on air: whoever speaks is heard.
        #expect(try describe() == .newDescription(Sample.streams))
    }

    @Test mutating func endedEpochDoesNotComeBack() throws {
        _ = try describe()
        #expect(try receive(publication.end()) == .end)
        #expect(try describe() == .drop(.retiredEpoch))
        #expect(gate.streams.isEmpty)
    }

    /// Who goes back is judged as a joiner is: no stale messages, no loss, and nothing before a key frame.
    @Test mutating func goingBackBeginsAnew() throws {
        let description = try publication.description()
        try lose(1)
        let key = try publication.message(Sample.packet(0, key: true))
        let others = try [1, 0].map { try publication.message(Sample.packet($0)) }
        for message in [description, key] + others { _ = try receive(message) }
        #expect(try receive(key) == .drop(.stale))
        gate.beginAnew()
        #expect(try receive(others[0]) == .drop(.awaitingVideo))
        #expect(try receive(others[1]) == .drop(.awaitingKeyFrame))
        gate.beginAnew()
        for message in [key] + others {
            let packet = try #require(delivered(try receive(message)))
            #expect(!packet.isDiscontinuity && packet.lost == 0)
        }
        // The one that was lost at the beginning, and no other.
        #expect(gate.epoch == 7 && gate.lostCount == 1)
    }

    @Test mutating func oldAndForeignMessages() throws {
        let early = try publication.message(Sample.packet(0, key: true))
        _ = try describe()
        #expect(try receive(early) == .drop(.stale))
        var liar = Publication(streams: Sample.streams + [Sample.audio(index: 3)], epoch: 7)
        for _ in 0..<5 { liar.noteLost(stream: 3) }
        #expect(try receive(liar.message(Sample.packet(3))) == .drop(.unknownStream))
    }
}
