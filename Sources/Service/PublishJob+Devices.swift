import ALSA
import Glibc
import IPN
import IPNSystem
import Media
import Transcode
import V4L2

/// Devices pace themselves, rest while nobody looks, and end when they are unplugged.
extension PublishJob {
    private func live(_ settings: PublishSettings, _ object: String) throws(MediaError) -> PublishSettings {
        try refusePlaylist(object)
        guard settings.speed == 1 else { throw MediaError(.invalidOption, object: object, what: "--speed is for files and addresses") }
        var settings = settings
        settings.isLive = true
        settings.restsByItself()
        return settings
    }

    /// - Throws: also what ended the stream before its time, after its end was published.
    func publish(_ input: CameraInput, _ settings: PublishSettings) throws {
        let device = input.settings.device
        let settings = try live(settings, "v4l2:\(device)")
        let camera = try Camera.open(input.settings, stop: stop.flag, stopDescriptor: stop.descriptor, note: meter.say)
        try publish(camera, settings, name: "ipn publish v4l2:\(device)") {
        } end: { camera in
            if camera.lostCount > 0 {
                let restarts = camera.restartCount > 0 ? ", started anew \(camera.restartCount) times" : ""
                say("v4l2:\(device): \(camera.lostCount) pictures lost, \(camera.brokenCount) of them broken\(restarts)")
            }
            if let failure = camera.failure { throw failure }
        }
    }

    /// - Throws: as for cameras.
    func publish(_ input: MicrophoneInput, _ settings: PublishSettings) throws {
        let device = input.settings.device
        let settings = try live(settings, "alsa:\(device)")
        // Its node, and what is open, are in the hands of the thread that waits: its keeper tells the others that it has gone, instead of
        // an end of the publication.
        stop.leaveUnanswered("alsa:\(device)", seconds: 2)
        let microphone = try Microphone.open(input.settings, stop: stop.flag, stopDescriptor: stop.descriptor, note: meter.say)
        // Periods are short: whoever else wants the processor waits.
        let begin = { @Sendable in for missing in RealTime.enter() { say("alsa:\(device): \(missing)") } }
        func tell(_ microphone: borrowing Microphone) throws {
            let (xruns, suspends, lost) = (microphone.xrunCount, microphone.suspendCount, microphone.lostCount)
            if xruns > 0 || suspends > 0 || lost > 0 {
                say("alsa:\(device): \(xruns) xruns, \(lost) periods lost" + (suspends > 0 ? ", slept \(suspends) times" : ""))
            }
            if let failure = microphone.failure { throw failure }
        }
        let name = "ipn publish alsa:\(device)"
        if coding.isCopy {
            try publish(microphone, settings, name: name, begin: begin, end: tell)
        } else {
            // A coder takes its time, and its memory, and has no business above everybody else.
            let served = try Self.served(microphone, stop, begin)
            try publish(served, settings, name: name, end: { try $0.whenOver(tell) })
        }
    }

    /// With room for a second.
    private static func served(
        _ microphone: consuming Microphone, _ stop: StopSignal, _ begin: @escaping @Sendable () -> Void
    ) throws(MediaError) -> ServedSource<Microphone> {
        let (period, largest, rate) = (microphone.period, microphone.periodBytes, microphone.rate)
        return try ServedSource(microphone, room: max(8, rate / max(1, period)), largest: largest, stop: stop, begin: begin)
    }
}
