import CV4L2
import Glibc
public import Media

/// Pictures of a camera, as its driver delivers them.
///
/// One buffer of the driver's is read at a time; it goes back with the next call. Where the driver pads its rows, or lays the planes
/// into memory of their own, the picture is packed first, which is a second copy; the usual ones do not.
///
/// Not for two threads at once.
public struct Camera: ~Copyable, PacketSource {
    public private(set) var streams: [StreamDescription]
    /// Why the stream ended before anybody asked for it; nil if it did not.
    public private(set) var failure: MediaError?
    /// Pictures that the driver dropped, or that could not be had of it; and those among them that came broken.
    public private(set) var lostCount: UInt64 = 0
    public private(set) var brokenCount: UInt64 = 0
    /// Times that the driver had to be started anew after an error.
    public private(set) var restartCount: UInt64 = 0

    private let settings: CameraSettings
    /// Nil while it is unplugged.
    private var session: CameraSession?
    private let layout: PictureLayout?
    /// Where it is packed.
    private let packed: UnsafeMutableRawBufferPointer?
    private let waiting: DeviceWait
    private let note: @Sendable (String) -> Void
    /// It is back, and somebody else has it.
    private var isRefused = false

    private var clock = FrameClock()
    /// Whether a picture has come since it was opened or started anew.
    private var isProven = false
    private var hasDelivered = false
    /// It has been told of that it delivers no more.
    private var isMissed = false
    /// The buffer that is ours, and the picture, there or packed.
    private var lent: (index: UInt32, picture: UnsafeRawBufferPointer)?
    /// Taken already, for what stands ahead of the first picture.
    private var early: CodedPacket?

    /// Opens and sets it. It rests until the first `next`, unless it codes H.264: then the first picture is taken for what
    /// decoders need ahead of it.
    /// - Parameters:
    ///   - stop: ends every wait with `.cancelled`.
    ///   - stopDescriptor: readable once `stop` is raised.
    ///   - note: takes a line for the user.
    /// - Throws: `.notFound`, `.permissionDenied`, `.refused` (in use), `.unsupportedFormat`, `.invalidOption`.
    public static func open(
        _ settings: CameraSettings, stop: StopFlag = StopFlag(), stopDescriptor: CInt = -1, note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(MediaError) -> Camera {
        let session = try CameraSession(settings)
        if session.device.isConverted { note("\(settings.device): libv4l2 makes \(session.mode.format.text) of its pictures") }
        var camera = Camera(settings, session, DeviceWait(count: 1, stop: stop, stopDescriptor: stopDescriptor), note)
        if session.mode.format.codec == "h264" { try camera.readAhead(session) }
        return camera
    }

    private init(
        _ settings: CameraSettings, _ session: CameraSession, _ waiting: consuming DeviceWait, _ note: @escaping @Sendable (String) -> Void
    ) {
        let (format, pix) = (session.mode.format, session.mode.pix)
        let layout: PictureLayout? =
            format.isRaw ? PictureLayout(format, width: Int(pix.width), height: Int(pix.height), strides: session.mode.strides) : nil
        packed = layout.flatMap { $0.isPacked ? nil : .allocate(byteCount: $0.size, alignment: 64) }
        waiting.descriptors[0].fd = session.device.descriptor
        streams = [session.mode.description(title: session.device.card, extradata: [])]
        self.waiting = waiting
        self.layout = layout
        self.settings = settings
        self.session = session
        self.note = note
    }

    deinit { packed?.deallocate() }

    /// The next picture. Its times are the driver's.
    /// - Returns: nil after the camera was unplugged; `failure` says so.
    /// - Throws: `.timedOut` if it delivers nothing for ten seconds, `.readFailed`, `.cancelled`.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        if let packet = early.take() { return packet }
        while failure == nil {
            do throws(MediaError) {
                if let session { return try nextPicture(session) }
                try comeBack()
            } catch {
                let isUnplugged = error.code == .notFound
                // A driver that fails may do so because its cable is being pulled, or was just put in.
                guard isUnplugged || settings.waits && (hasDelivered || isMissed) && [.readFailed, .timedOut].contains(error.code) else {
                    throw error
                }
                lent = nil
                session = nil
                if settings.waits {
                    if !isMissed { note("\(settings.device): \(isUnplugged ? "unplugged" : error.reason); waiting for it to come back") }
                    isMissed = true
                    throw MediaError(.interrupted, object: settings.device, what: "gone")
                } else {
                    failure = MediaError(
                        .notFound, object: settings.device, what: "the camera was unplugged", remedy: "--wait waits for it to come back")
                }
            }
        }
        return nil
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        guard let lent else { return try body(RawSpan()) }
        return try body(RawSpan(_unsafeBytes: lent.picture))
    }

    public func listen(to descriptor: CInt) { waiting.listen(to: descriptor) }
    public var isAway: Bool { isMissed }

    /// Nobody looks: the camera is switched off, until `next`.
    public mutating func rest() {
        lent = nil
        early = nil
        session?.stop()
        clock.restart()
    }

    /// Asks a camera that codes for a picture that a newcomer can begin with; most cannot.
    public func requestKeyFrame() {
        guard let session, session.mode.format.codec == "h264" else { return }
        _ = cv4l2_set_control(session.device.descriptor, cv4l2_force_key_frame(), 1, 0)
    }

    private mutating func nextPicture(_ session: CameraSession) throws(MediaError) -> CodedPacket {
        while true {
            do throws(MediaError) {
                return try takePicture(session)
            } catch {
                try restart(session, after: error)
            }
        }
    }

    /// Goes on after an error that is not the driver's end: it has all its buffers taken back, and given anew with the next picture.
    /// - Throws: the error, if it is another, or no picture came since the last time.
    private mutating func restart(_ session: CameraSession, after error: MediaError) throws(MediaError) {
        guard error.code == .readFailed, isProven else { throw error }
        isProven = false
        lent = nil
        session.stop()
        restartCount += 1
        clock.interrupt()
        note("\(settings.device): \(error.reason); started anew")
    }

    private mutating func takePicture(_ session: CameraSession) throws(MediaError) -> CodedPacket {
        try session.start()
        if let held = lent.take() { try session.give(held.index) }
        // A slow camera may take long for a picture in the dark; none takes this long.
        let due = monotonicNanoseconds() + 10_000_000_000
        while true {
            guard try waiting.wait(until: due) else {
                throw MediaError(
                    .timedOut, object: settings.device, what: "no picture for 10 s", remedy: "look at its cable, and at what else uses its bus")
            }
            guard let buffer = try session.take() else {
                // Ready, and yet nothing there: some drivers say so for ever when they are gone.
                if waiting.descriptors[0].revents & Int16(POLLERR | POLLHUP) != 0 { try waiting.pause(milliseconds: 10) }
                _ = try session.device.currentFormat()
                continue
            }
            let contents = session.buffers.contents(of: buffer)
            guard isWhole(buffer, contents) else {
                brokenCount += 1
                clock.skip(buffer.sequence)
                try session.give(buffer.index)
                continue
            }
            if let packed, let layout { layout.pack(contents, into: packed) }
            let picture = packed.map { UnsafeRawBufferPointer($0) } ?? UnsafeRawBufferPointer(rebasing: contents[0].prefix(layout?.size ?? .max))
            lent = (buffer.index, picture)
            return packet(buffer, session)
        }
    }

    private mutating func packet(_ buffer: v4l2_buffer, _ session: CameraSession) -> CodedPacket {
        let isMonotonic = buffer.flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
        let time = Int64(buffer.timestamp.tv_sec) &* 1_000_000_000 &+ Int64(buffer.timestamp.tv_usec) &* 1000
        let before = clock.isDriversTime
        var packet = clock.packet(buffer.sequence, time: isMonotonic ? time : nil, now: monotonicNanoseconds())
        if isMonotonic, clock.isDriversTime == false, before != false {
            note("\(settings.device): its time stamps are far from this machine's clock; the time of arrival is taken instead")
        }
        if !isProven { prove() }
        lostCount += UInt64(packet.lost)
        packet.isKey =
            session.mode.format.codec != "h264" || buffer.flags & UInt32(V4L2_BUF_FLAG_KEYFRAME) != 0
            || withBytes { AnnexB.hasKeyFrame($0) }
        return packet
    }

    private mutating func prove() {
        (isProven, hasDelivered) = (true, true)
        guard isMissed else { return }
        isMissed = false
        note("\(settings.device): back again")
    }

    /// Whether a buffer holds a picture: drivers hand over broken and empty ones too.
    private func isWhole(_ buffer: v4l2_buffer, _ contents: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Bool {
        guard buffer.flags & UInt32(V4L2_BUF_FLAG_ERROR) == 0 else { return false }
        for (index, piece) in contents.enumerated() where piece.count < layout?.extents[index] ?? 1 { return false }
        return true
    }

    /// One try a call, half a second apart.
    private mutating func comeBack() throws(MediaError) {
        try waiting.pause(milliseconds: 500)
        let session: CameraSession
        do throws(MediaError) {
            session = try CameraSession(settings)
        } catch {
            // Its node may be there before its owner is set, and whatever else looks at new devices may be first.
            // It may also not be ready for anything yet.
            guard [.notFound, .permissionDenied, .refused, .cannotOpen].contains(error.code) else { throw error }
            if error.code == .refused, !isRefused { note("\(settings.device): \(error.what); waiting for that to end") }
            isRefused = error.code == .refused
            return
        }
        let description = session.mode.description(title: streams[0].title, extradata: streams[0].extradata)
        guard description == streams[0] else {
            throw MediaError(.unsupportedFormat, object: settings.device, what: "what came back is another camera, or gives other pictures")
        }
        waiting.descriptors[0].fd = session.device.descriptor
        self.session = session
        isRefused = false
        isProven = false
        clock.interrupt()
    }

    /// Containers want parameter sets ahead of the first picture; cameras send them with each key frame.
    private mutating func readAhead(_ session: CameraSession) throws(MediaError) {
        for _ in 0..<300 {
            let packet = try nextPicture(session)
            let sets = withBytes { AnnexB.parameterSets($0) }
            guard packet.isKey, !sets.isEmpty else { continue }
            streams[0].extradata = sets
            early = packet
            return
        }
        throw MediaError(.unsupportedFormat, object: settings.device, what: "its H.264 has no key frame in 300 pictures")
    }
}
