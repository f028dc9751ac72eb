import CALSA
import Glibc
public import Media

/// Sound of a capture device, a period a packet.
///
/// Where the device's memory is mapped, the packet's bytes lie in it, unless its samples have to be moved; they are given back with
/// the next call. `next` allocates nothing, takes no lock, and waits for the device alone: RT safe, but for the first and after it
/// was unplugged.
///
/// Not for two threads at once.
public struct Microphone: ~Copyable, PacketSource {
    public let streams: [StreamDescription]
    /// Why the stream ended before anybody asked for it; nil if it did not.
    public private(set) var failure: MediaError?
    /// How often it was not read in time.
    public private(set) var xrunCount: UInt64 = 0
    /// How often it slept with the machine.
    public private(set) var suspendCount: UInt64 = 0
    /// Periods that were missing then, and while it was unplugged.
    public private(set) var lostCount: UInt64 = 0

    private let settings: CaptureSettings
    /// Nil while it is unplugged.
    private var session: CaptureSession?
    private let waiting: DeviceWait
    private let note: @Sendable (String) -> Void
    /// It is back, and somebody else has it.
    private var isRefused = false
    /// It has delivered since it was opened; and it has been told of that it does no more.
    private var isProven = false
    private var isMissed = false
    private var clock: SampleClock
    /// For what does not lie in one piece, or not as it goes out.
    private let staging: UnsafeMutableRawBufferPointer
    private var lent = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What of the device's memory is to be given back.
    private var held: (offset: snd_pcm_uframes_t, frames: snd_pcm_uframes_t)?
    private var isRunning = false
    private var pace = CapturePace()

    /// Opens and sets it. It rests until the first `next`.
    /// - Parameters:
    ///   - stop: ends every wait with `.cancelled`.
    ///   - stopDescriptor: readable once `stop` is raised.
    ///   - note: takes a line for the user.
    /// - Throws: `.notFound`, `.permissionDenied`, `.refused` (in use), `.unsupportedFormat`, saying what it can.
    public static func open(
        _ settings: CaptureSettings, stop: StopFlag = StopFlag(), stopDescriptor: CInt = -1, note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(MediaError) -> Microphone {
        let session = try CaptureSession(settings)
        for adjustment in session.adjustments { note("\(settings.device): \(adjustment)") }
        let waiting = DeviceWait(count: Int(session.descriptorCount), stop: stop, stopDescriptor: stopDescriptor)
        return Microphone(settings, session, waiting, note)
    }

    private init(
        _ settings: CaptureSettings, _ session: CaptureSession, _ waiting: consuming DeviceWait, _ note: @escaping @Sendable (String) -> Void
    ) {
        streams = [session.description(title: session.title)]
        clock = SampleClock(rate: Int64(session.rate), period: Int64(session.period))
        staging = .allocate(byteCount: Int(session.period) * session.frameBytes, alignment: 64)
        self.settings = settings
        self.session = session
        self.waiting = waiting
        self.note = note
    }

    deinit { staging.deallocate() }

    /// Frames a second, frames in a packet, and its octets.
    public var rate: Int { Int(clock.rate) }
    public var period: Int { Int(clock.period) }
    public var periodBytes: Int { staging.count }

    /// The next period. Its capture time is when its first frame was, by the device's clock.
    /// - Returns: nil after the device was unplugged; `failure` says so.
    /// - Throws: `.timedOut` if it delivers nothing for five seconds, `.readFailed`, `.cancelled`.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        while failure == nil {
            do throws(MediaError) {
                if let session { return try nextPeriod(session) }
                try comeBack()
            } catch {
                let isUnplugged = error.code == .notFound
                // A sound server that ends is gone as well, whatever its plugin makes of that.
                guard isUnplugged || settings.waits && (isProven || isMissed) && [.readFailed, .timedOut].contains(error.code) else { throw error }
                forget()
                session = nil
                if settings.waits {
                    if !isMissed { note("\(settings.device): \(isUnplugged ? "unplugged" : error.reason); waiting for it to come back") }
                    (isMissed, isProven) = (true, false)
                    throw MediaError(.interrupted, object: settings.device, what: "gone")
                } else {
                    failure = MediaError(
                        .notFound, object: settings.device, what: "the device was unplugged", remedy: "--wait waits for it to come back")
                }
            }
        }
        return nil
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(RawSpan(_unsafeBytes: lent))
    }

    public func listen(to descriptor: CInt) { waiting.listen(to: descriptor) }
    public var isAway: Bool { isMissed }

    /// Nobody listens: the device is stopped, until `next`.
    public mutating func rest() {
        forget()
        if let session { snd_pcm_drop(session.pcm) }
        clock.restart()
    }

    private mutating func forget() {
        lent = UnsafeRawBufferPointer(start: nil, count: 0)
        held = nil
        isRunning = false
    }

    private mutating func nextPeriod(_ session: CaptureSession) throws(MediaError) -> CodedPacket {
        giveBack(session)
        let due = monotonicNanoseconds() + 5_000_000_000
        var available = isRunning ? snd_pcm_avail_update(session.pcm) : try start(session)
        while true {
            if available >= Int(session.period) {
                let captured = capturedTime(session, available)
                if try read(session) { return try packet(captured, session) }
                available = 0
            }
            if available < 0 {
                try recover(session, CInt(available))
                available = 0
            }
            guard try wait(session, until: due), monotonicNanoseconds() < due else {
                throw MediaError(
                    .timedOut, object: settings.device, what: "no sound for 5 s", remedy: "look whether it is captured from anything at all")
            }
            if snd_pcm_state(session.pcm) == SND_PCM_STATE_SUSPENDED {
                // Cards say so to poll(2) alone: what is there stays what it was, and is no error.
                try recover(session, calsa_suspended())
                available = 0
            } else {
                available = snd_pcm_avail_update(session.pcm)
            }
        }
    }

    private mutating func packet(_ captured: Int64, _ session: CaptureSession) throws(MediaError) -> CodedPacket {
        guard !pace.isTooFast(Int64(session.period), rate: clock.rate, buffer: Int64(session.buffer), now: monotonicNanoseconds()) else {
            throw MediaError(
                .unsupportedFormat, object: settings.device, what: "gives sound faster than time passes", remedy: "take a device that has a clock")
        }
        let packet = clock.packet(captured: captured)
        lostCount += UInt64(packet.lost)
        if !isProven { prove() }
        return packet
    }

    private mutating func prove() {
        isProven = true
        guard isMissed else { return }
        isMissed = false
        note("\(settings.device): back again")
    }

    /// - Returns: false if it had nothing to say until then.
    private func wait(_ session: CaptureSession, until due: Int64) throws(MediaError) -> Bool {
        guard try waiting.wait(until: due) else { return false }
        // Plugins take back the strokes on their descriptors here.
        var events: UInt16 = 0
        snd_pcm_poll_descriptors_revents(session.pcm, waiting.descriptors.baseAddress, UInt32(waiting.descriptors.count), &events)
        if snd_pcm_state(session.pcm) == SND_PCM_STATE_DISCONNECTED { throw ALSAFailure.error(calsa_gone(), .notFound, settings.device, "") }
        return true
    }

    /// When the first of the frames that are there was captured: the device's time, less their length. Plugins may have another
    /// clock, or none: then it is now that they are there.
    private func capturedTime(_ session: CaptureSession, _ available: snd_pcm_sframes_t) -> Int64 {
        var frames = snd_pcm_uframes_t(available)
        var stamp = snd_htimestamp_t()
        let now = monotonicNanoseconds()
        var time = now
        if snd_pcm_htimestamp(session.pcm, &frames, &stamp) == 0 {
            let devices = Int64(stamp.tv_sec) &* 1_000_000_000 &+ Int64(stamp.tv_nsec)
            if abs(devices &- now) < 2_000_000_000 { time = devices } else { frames = snd_pcm_uframes_t(available) }
        }
        return time - Int64(frames) * 1_000_000_000 / Int64(session.rate)
    }

    /// - Returns: false after an xrun.
    private mutating func read(_ session: CaptureSession) throws(MediaError) -> Bool {
        let size = Int(session.period) * session.frameBytes
        if session.isMapped {
            var areas: UnsafePointer<snd_pcm_channel_area_t>?
            var (offset, frames) = (snd_pcm_uframes_t(0), session.period)
            let error = snd_pcm_mmap_begin(session.pcm, &areas, &offset, &frames)
            guard error == 0 else {
                try recover(session, error)
                return false
            }
            if frames == session.period, let areas, isInterleaved(areas, session) {
                held = (offset, frames)
                let samples = UnsafeRawBufferPointer(start: areas[0].addr + Int(offset) * session.frameBytes, count: size)
                if session.format.isLow { session.format.raise(samples.baseAddress!, into: staging) }
                lent = session.format.isLow ? UnsafeRawBufferPointer(staging) : samples
                return true
            }
        }
        let count =
            session.isMapped
            ? snd_pcm_mmap_readi(session.pcm, staging.baseAddress, session.period) : snd_pcm_readi(session.pcm, staging.baseAddress, session.period)
        guard count == Int(session.period) else {
            // Less than was there: its memory was stopped meanwhile.
            try recover(session, count < 0 ? CInt(count) : calsa_xrun())
            return false
        }
        if session.format.isLow { session.format.raise(UnsafeRawPointer(staging.baseAddress!), into: staging) }
        lent = UnsafeRawBufferPointer(staging)
        return true
    }

    /// Whether the channels lie beside each other from the beginning, as they go out.
    private func isInterleaved(_ areas: UnsafePointer<snd_pcm_channel_area_t>, _ session: CaptureSession) -> Bool {
        let bits = UInt32(session.format.bits)
        for channel in 0..<Int(session.channels) {
            let area = areas[channel]
            guard area.addr == areas[0].addr, area.first == UInt32(channel) * bits, area.step == bits * session.channels else { return false }
        }
        return true
    }

    private mutating func giveBack(_ session: CaptureSession) {
        lent = UnsafeRawBufferPointer(start: nil, count: 0)
        // What goes wrong with it, snd_pcm_avail_update says again.
        if let piece = held.take() { snd_pcm_mmap_commit(session.pcm, piece.offset, piece.frames) }
    }

    private mutating func start(_ session: CaptureSession) throws(MediaError) -> snd_pcm_sframes_t {
        snd_pcm_poll_descriptors(session.pcm, waiting.descriptors.baseAddress, UInt32(waiting.descriptors.count))
        var error: CInt = 0
        if snd_pcm_state(session.pcm) != SND_PCM_STATE_PREPARED { error = snd_pcm_prepare(session.pcm) }
        if error == 0 { error = snd_pcm_start(session.pcm) }
        guard error == 0 else { throw ALSAFailure.error(error, .readFailed, settings.device, "cannot be started") }
        isRunning = true
        return 0
    }

    /// Goes on after an xrun, and after the machine slept.
    /// - Throws: `.notFound` if it is gone, `.readFailed`.
    private mutating func recover(_ session: CaptureSession, _ error: CInt) throws(MediaError) {
        held = nil
        lent = UnsafeRawBufferPointer(start: nil, count: 0)
        let isStopped = error == -EBADFD && snd_pcm_state(session.pcm) != SND_PCM_STATE_DISCONNECTED
        guard error == calsa_xrun() || error == calsa_suspended() || isStopped else {
            let isGone = error == -EBADFD || error == calsa_gone()
            throw ALSAFailure.error(isGone ? calsa_gone() : error, .readFailed, settings.device, "cannot be read")
        }
        if error == calsa_suspended() {
            suspendCount += 1
            while snd_pcm_resume(session.pcm) == calsa_again() { try waiting.pause(milliseconds: 100) }
        } else {
            xrunCount += 1
        }
        clock.interrupt()
        isRunning = false
        _ = try start(session)
    }

    /// One try a call, half a second apart.
    private mutating func comeBack() throws(MediaError) {
        try waiting.pause(milliseconds: 500)
        let session: CaptureSession
        do throws(MediaError) {
            session = try CaptureSession(settings)
        } catch {
            // Its node may be there before its owner is set, and whatever else looks at new devices may be first.
            // A sound server that is not there yet cannot be opened.
            guard [.notFound, .permissionDenied, .refused, .cannotOpen].contains(error.code) else { throw error }
            if error.code == .refused, !isRefused { note("\(settings.device): \(error.what); waiting for that to end") }
            isRefused = error.code == .refused
            return
        }
        guard session.description(title: streams[0].title) == streams[0], Int(session.descriptorCount) == waiting.descriptors.count else {
            throw MediaError(.unsupportedFormat, object: settings.device, what: "what came back is another device, or gives other sound")
        }
        self.session = session
        isRefused = false
        clock.interrupt()
    }
}
