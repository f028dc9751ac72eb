import Media
import Testing

@Suite struct MessageTests {
    @Test func descriptionsComeBackAsTheyWere() throws {
        var publication = Publication(streams: Sample.streams, epoch: 7)
        let bytes = try publication.description()
        #expect(bytes.count % 64 == 0)
        let (header, payload) = try MediaMessage.decode(bytes.span.bytes)
        #expect(header.kind == .description)
        #expect(header.epoch == 7)
        #expect(try MediaMessage.decodeStreams(bytes.span.bytes.extracting(payload)) == Sample.streams)
    }

    @Test func packetsComeBackAsTheyWere() throws {
        var publication = Publication(streams: Sample.streams, epoch: 7)
        _ = try publication.description()
        var packet = CodedPacket(stream: 1, pts: nil, dts: -5)
        packet.duration = 1024
        packet.isKey = true
        packet.isDiscontinuity = true
        packet.isCorrupt = true
        packet.captureTime = 123_456_789
        packet.lost = 4
        let bytes = try publication.message(packet, [9, 8, 7, 6, 5])
        #expect(bytes.count == MediaMessage.encodedSize(payload: 5))
        let (header, payload) = try MediaMessage.decode(bytes.span.bytes)
        #expect(header.kind == .packet(packet))
        #expect(header.timeBase == TimeBase(1, 48000))
        #expect((header.sequence, header.streamSequence) == (1, 0))
        #expect(Array(bytes[payload]) == [9, 8, 7, 6, 5])
    }

    @Test func rawStreamsTravelAsPicturesAndSound() throws {
        let picture = StreamDescription(
            index: 0, kind: .video(.init(width: 4, height: 2, pixelFormat: "rgb24")), codec: "rawvideo", timeBase: .microsecond)
        var sound = Sample.audio(index: 1)
        sound.codec = "pcm_s16le"
        var publication = Publication(streams: [picture, sound])
        for (stream, kind) in [(0, MediaHeader.Kind.picture(Sample.packet(0))), (1, .sound(Sample.packet(1)))] {
            let bytes = try publication.message(Sample.packet(stream))
            #expect(try MediaMessage.decode(bytes.span.bytes).header.kind == kind)
        }
    }

    @Test func smallRoomNamesTheMTUNeeded() throws {
        var publication = Publication(streams: Sample.streams)
        let room = Room(200)
        let hundred = [UInt8](repeating: 1, count: 100)
        let error = #expect(throws: MediaError.self) {
            try publication.write(Sample.packet(0), hundred.span.bytes, into: room.bytes)
        }
        #expect(error?.code == .messageTooLarge)
        #expect(error?.remedy.contains("228") == true)
        // It was not counted: nothing is missing.
        let next = try publication.message(Sample.packet(0))
        #expect(try MediaMessage.decode(next.span.bytes).header.sequence == 0)
    }

    @Test func longTitlesAreShortenedBetweenCharacters() throws {
        var stream = Sample.video
        stream.title = "\u{1b}[31m" + String(repeating: "ü", count: 100)
        var publication = Publication(streams: [stream])
        let bytes = try publication.description()
        let (_, payload) = try MediaMessage.decode(bytes.span.bytes)
        let title = try MediaMessage.decodeStreams(bytes.span.bytes.extracting(payload))[0].title
        #expect(title == "[31m" + String(repeating: "ü", count: 61))
    }
}
