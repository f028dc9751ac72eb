import CLibAV
import LibAVBase
public import Media

/// Colour bars, something that moves, a running time code, and a tone that beeps each second: coded, live.
///
/// It does not pace itself: give each packet out when `MediaClock` says that it is due.
public struct TestSignal: ~Copyable, PacketSource {
    public let streams: [StreamDescription]

    private var video: PictureEncoder
    private var audio: ToneEncoder?
    private enum Lent { case nothing, picture, sound }
    private var lent: Lent = .nothing
    /// CLOCK_MONOTONIC at time stamp 0.
    private var origin: Int64?

    /// Opens the encoders: libx264 and aac, or the next best that this libavcodec has.
    /// - Throws: `.invalidOption`, `.unsupportedCodec`, `.encodeFailed`.
    public init(_ settings: SignalSettings = SignalSettings()) throws(MediaError) {
        try settings.check()
        let video = try PictureEncoder(settings)
        var streams = [try video.description(index: 0)]
        if settings.sampleRate > 0 {
            let audio = try ToneEncoder(settings)
            streams.append(try audio.description(index: 1))
            self.audio = consume audio
        } else {
            audio = nil
        }
        self.video = video
        self.streams = streams
    }

    /// The next picture that is coded becomes a key frame.
    public mutating func requestKeyFrame() { video.requestKeyFrame() }

    public var makesKeyFrames: Bool { true }
    public var comesWhenAsked: Bool { true }

    /// The next packet in order of decoding. Its capture time is the instant that it shows: the first
    /// call's time plus its time stamp.
    /// - Returns: nil after the settings' duration.
    /// - Throws: `.encodeFailed`.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        if origin == nil { origin = monotonicNanoseconds() }
        switch lent {
        case .picture: video.coder.consumePacket()
        case .sound: audio?.coder.consumePacket()
        case .nothing: break
        }
        lent = .nothing
        let picture = try video.peek()
        let sound = try audio?.peek() ?? nil
        let packet: CodedPacket
        switch (picture, sound) {
        case (nil, nil): return nil
        case (let picture?, nil): (packet, lent) = (picture, .picture)
        case (nil, let sound?): (packet, lent) = (sound, .sound)
        case (let picture?, let sound?):
            (packet, lent) = time(sound) < time(picture) ? (sound, .sound) : (picture, .picture)
        }
        var stamped = packet
        stamped.captureTime = packet.pts.map { (origin ?? 0) + streams[packet.stream].timeBase.nanoseconds($0) }
        return stamped
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        switch lent {
        case .nothing: return try body(RawSpan())
        case .picture: return try video.coder.packet.withBytes(body)
        case .sound:
            switch audio {
            case .some(let audio): return try audio.coder.packet.withBytes(body)
            case .none: return try body(RawSpan())
            }
        }
    }

    private func time(_ packet: CodedPacket) -> Int64 {
        streams[packet.stream].timeBase.nanoseconds(packet.decodingTime ?? 0)
    }
}
