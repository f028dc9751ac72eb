import Media

/// A message from a neighbour's memory, changed in a few places or made of nothing: it is read, or refused with an error.
func fuzzMedia(_ script: inout Script) {
    var bytes: [UInt8]
    let kind = script.below(3)
    if kind == 2 {
        bytes = Array(script.rest)
    } else {
        bytes = samples[kind]
        while !script.isAtEnd {
            let place = (script.below(256) << 8 | script.below(256)) % bytes.count
            switch script.below(3) {
            case 0: bytes[place] = script.byte()
            case 1: bytes.removeLast(bytes.count - max(place, 1))
            default:
                withUnsafeBytes(of: script.value(near: UInt64(place))) { word in
                    for (index, byte) in word.enumerated() where place + index < bytes.count { bytes[place + index] = byte }
                }
            }
        }
    }
    let span = bytes.span.bytes
    if let (header, payload) = try? MediaMessage.decode(span), header.kind == .description {
        _ = try? MediaMessage.decodeStreams(span.extracting(payload))
    }
    var gate = StreamGate()
    let (description, packet) = (samples[0], samples[1])
    _ = try? gate.receive(description.span.bytes)
    _ = try? gate.receive(span)
    _ = try? gate.receive(packet.span.bytes)
}

/// A picture and its sound.
let streams: [StreamDescription] = {
    var video = StreamDescription(
        index: 0, kind: .video(StreamDescription.Video(width: 1280, height: 720, pixelFormat: "yuv420p")), codec: "h264",
        timeBase: TimeBase(1, 12800)!)
    video.extradata = Array(0..<38)
    video.title = "Überblick"
    let audio = StreamDescription.Audio(sampleRate: 48000, channels: 2, channelLayout: "stereo", sampleFormat: "fltp")
    return [video, StreamDescription(index: 1, kind: .audio(audio), codec: "aac", timeBase: TimeBase(1, 48000)!)]
}()

/// A message of ours.
func filled(_ size: Int, _ write: (UnsafeMutableRawBufferPointer) throws -> Void) -> [UInt8] {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer { room.deallocate() }
    try! write(room)
    return Array(room)
}

/// A description of two streams, and a packet of the first.
private let samples: [[UInt8]] = {
    var publication = Publication(streams: streams, epoch: 7)
    let description = filled(publication.descriptionSize) { try publication.writeDescription(into: $0) }
    var packet = CodedPacket(stream: 0, pts: 0, dts: 0)
    packet.isKey = true
    let payload = [UInt8](repeating: 5, count: 100)
    return [description, filled(publication.size(payload: 100)) { try publication.write(packet, payload.span.bytes, into: $0) }]
}()
