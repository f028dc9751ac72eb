import Media

/// Messages to work on.
enum Sample {
    static let milliseconds = TimeBase(1, 1000)!

    static var video: StreamDescription {
        var video = StreamDescription.Video(width: 1280, height: 720, pixelFormat: "yuv420p")
        video.sampleAspect = Ratio(1, 1)
        video.frameRate = Ratio(25, 1)
        video.realFrameRate = Ratio(25, 1)
        video.fieldOrder = 1
        video.colorRange = 1
        video.delay = 2
        var stream = StreamDescription(index: 0, kind: .video(video), codec: "h264", timeBase: TimeBase(1, 12800)!)
        stream.codecTag = 0x3163_7661
        stream.startTime = -1024
        stream.profile = 77
        stream.level = 31
        stream.bitRate = 1_205_959
        stream.title = "Überblick"
        stream.extradata = Array(0..<38)
        return stream
    }

    static func audio(index: Int) -> StreamDescription {
        var audio = StreamDescription.Audio(sampleRate: 48000, channels: 6, channelLayout: "5.1(side)", sampleFormat: "fltp")
        audio.frameSize = 1024
        audio.initialPadding = 1024
        var stream = StreamDescription(index: index, kind: .audio(audio), codec: "aac", timeBase: TimeBase(1, 48000)!)
        stream.language = "eng"
        stream.disposition = 1
        stream.extradata = [0x12, 0x10]
        return stream
    }

    static var streams: [StreamDescription] {
        [video, audio(index: 1), StreamDescription(index: 2, kind: .subtitle, codec: "subrip", timeBase: milliseconds)]
    }

    static func packet(_ stream: Int, _ time: Int64 = 0, key: Bool = false) -> CodedPacket {
        var packet = CodedPacket(stream: stream, pts: time, dts: time)
        packet.isKey = key
        return packet
    }
}

extension Publication {
    mutating func description() throws -> [UInt8] {
        let room = Room(descriptionSize)
        try writeDescription(into: room.bytes)
        return Array(room.bytes)
    }

    mutating func end() throws -> [UInt8] {
        let room = Room(endSize)
        try writeEnd(into: room.bytes)
        return Array(room.bytes)
    }

    mutating func message(_ packet: CodedPacket, _ bytes: [UInt8] = [1, 2, 3]) throws -> [UInt8] {
        let room = Room(size(payload: bytes.count))
        try write(packet, bytes.span.bytes, into: room.bytes)
        return Array(room.bytes)
    }
}

/// What the bus lends.
final class Room {
    let bytes: UnsafeMutableRawBufferPointer
    init(_ size: Int) { bytes = .allocate(byteCount: size, alignment: 64) }
    deinit { bytes.deallocate() }
}
