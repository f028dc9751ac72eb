import CLibAV

/// Plays sound so that each sample is heard when it is due.
///
/// The first is put in its place to the sample, with silence before it or without what is too late. From then on the rate
/// follows the sender's clock by small amounts. The device never rests: it runs on silence where nothing comes.
struct Loudspeaker: ~Copyable {
    /// 1 for as loud as it was sent, 0 for silence.
    var gain: Float = 1
    /// Times that the device ran dry.
    private(set) var gapCount: UInt64 = 0
    /// Nanoseconds by which what is heard is late, over the last moments.
    var lateness: Int64 { Int64(loop.error * 1e9) }
    /// The part by which it plays faster than it was sent.
    private(set) var speed = 0.0
    /// Times that the sound was put in its place anew: at its beginning, and after what is missing or came too late.
    private(set) var alignmentCount: UInt64 = 0
    /// Nanoseconds of sound between what was given and what was written.
    var heldBack: Int64 { resampler.delay }

    /// Whether nothing more can be heard of it.
    var isGone: Bool { device.isGone }
    /// Whether what comes is heard, and when it is due.
    var isHeard: Bool { isAligned }

    private let device: any SoundDevice
    private var resampler: Resampler
    private var loop = RateLoop()
    private var isAligned = false
    /// When it was aligned last; the media time after the last frame; when that was written; when its last sample is heard.
    private var alignment: Int64 = 0
    private var nextTime: Int64?
    private var lastWrite: Int64?
    private var end: Int64 = 0
    private var quickAlignments = 0
    /// When what was ahead of sound that came too late must have been played, and nothing more of it be too late.
    private var drained: Int64?
    private var shortfall: Int64 = 0
    /// When the device began, and when it will have played what was written since.
    private var start: Int64?
    private var reckonedEnd: Int64 = 0
    /// What the device has no room for yet: many a card holds less than the latency. And when the sample after its last is due.
    private var waiting: [Float] = []
    private var waitingEnd: Int64 = 0

    /// The longest silence that is put before sound which is early, nanoseconds.
    private static let longest: Int64 = 5_000_000_000
    /// What is ahead of the device where nothing comes, nanoseconds: more than a process sleeps too long. No latency is shorter.
    private static let cushion: Int64 = 25_000_000

    init(_ device: any SoundDevice) {
        self.device = device
        resampler = Resampler(rate: device.rate)
    }

    /// Whether something is still to be heard.
    func isPlaying(_ now: Int64) -> Bool { now < end }

    /// Plays a frame.
    /// - Parameters:
    ///   - time: of its first sample, nanoseconds of media time.
    ///   - due: when that is to be heard; nanoseconds on CLOCK_MONOTONIC, as is `now`.
    mutating func play(_ frame: UnsafeMutablePointer<AVFrame>, time: Int64, due: Int64, now: Int64) {
        if let nextTime, abs(time &- nextTime) > 2_000_000 { isAligned = false }
        nextTime = time &+ Int64(frame.pointee.nb_samples) * 1_000_000_000 / Int64(max(1, frame.pointee.sample_rate))
        let late = now + queued(now) - (due - resampler.delay)
        follow(late, now)
        resampler.convert(frame, speed: speed)
        var first = 0
        if !isAligned { first = align(late, now) }
        for index in first * 2..<max(first * 2, resampler.samples.count) { waiting.append(resampler.samples[index] * gain) }
        waitingEnd = due + (nextTime ?? time) - time - resampler.delay
        write(now)
        end = now + queued(now)
    }

    /// Keeps the device running where no sound comes. Call it every some milliseconds.
    mutating func tick(_ now: Int64) {
        let ahead = queued(now)
        if !waiting.isEmpty { write(now) }
        guard ahead < Self.cushion else { return }
        silence(Self.cushion, now)
        isAligned = false
    }

    /// Nanoseconds by which the device proved too slow for the latency, again and again; told once.
    mutating func takeShortfall() -> Int64? {
        guard shortfall > 0 else { return nil }
        defer { (shortfall, drained) = (0, nil) }
        return shortfall
    }

    /// Nanoseconds until what is written next would be heard.
    private mutating func queued(_ now: Int64) -> Int64 {
        guard let frames = device.delay() else {
            if start != nil { gapCount += 1 }
            start = nil
            putWaitingInPlace(now)
            return duration(waiting.count / 2)
        }
        let told = duration(frames)
        // A sound server that has just begun has not yet heard of what was written.
        let written = if let start, now - start < 300_000_000 { max(told, reckonedEnd - now) } else { told }
        return written + duration(waiting.count / 2)
    }

    /// The device begins anew with what waits: without what should have been heard by now, or after some silence.
    private mutating func putWaitingInPlace(_ now: Int64) {
        let late = now + duration(waiting.count / 2) - waitingEnd
        let frames = frames(min(abs(late), Self.longest))
        if !isAligned || late > 0 && frames * 2 >= waiting.count {
            waiting.removeAll(keepingCapacity: true)
            isAligned = false
        } else if late > 0 {
            waiting.removeFirst(frames * 2)
        } else {
            waiting = [Float](repeating: 0, count: frames * 2) + waiting
        }
        loop.restart()
    }

    /// Nanoseconds that so many frames of the device's last.
    private func duration(_ frames: Int) -> Int64 { Int64(frames) * 1_000_000_000 / Int64(device.rate) }

    /// Frames of the device's that last so many nanoseconds.
    private func frames(_ nanoseconds: Int64) -> Int { Int(nanoseconds * Int64(device.rate) / 1_000_000_000) }

    /// Gives the loop what was measured; or gives up, for a jump is no drift.
    private mutating func follow(_ late: Int64, _ now: Int64) {
        defer { lastWrite = now }
        guard isAligned, let lastWrite else { return }
        speed = loop.update(error: Double(late) / 1e9, after: Double(now - lastWrite) / 1e9)
        // A device that has just begun does not know its own delay: nobody minds a second start then.
        let bound = now - alignment < 2_000_000_000 && quickAlignments < 3 ? 0.004 : 0.02
        if abs(loop.error) > bound { isAligned = false }
    }

    /// - Returns: the frames at the beginning of `samples` that are too late.
    private mutating func align(_ late: Int64, _ now: Int64) -> Int {
        let frames = frames(late)
        // What does not come in time comes not at all; what follows will be aligned by itself.
        if late > 0, frames * 2 >= resampler.samples.count {
            if now > drained ?? .max { shortfall = late + Self.cushion }
            // A sound server that wakes up may keep everybody waiting for two seconds.
            drained = drained ?? now + late + 3_000_000_000
            return resampler.samples.count / 2
        }
        drained = nil
        quickAlignments = now - alignment < 3_000_000_000 ? quickAlignments + 1 : 0
        loop.restart()
        alignmentCount += 1
        alignment = now
        isAligned = true
        if late < 0 { silence(-late, now) }
        return max(0, frames)
    }

    private mutating func silence(_ nanoseconds: Int64, _ now: Int64) {
        let frames = frames(min(nanoseconds, Self.longest))
        waiting += [Float](repeating: 0, count: frames * 2)
        write(now)
    }

    private mutating func write(_ now: Int64) {
        let written = waiting.withUnsafeBufferPointer { device.write($0) }
        waiting.removeFirst(written * 2)
        if start == nil, written > 0 { (start, reckonedEnd) = (now, now) }
        reckonedEnd = max(reckonedEnd, now) + duration(written)
        // A publisher that sends as it likes.
        guard duration(waiting.count / 2) > 2 * Self.longest else { return }
        waiting.removeAll(keepingCapacity: true)
        isAligned = false
    }
}
