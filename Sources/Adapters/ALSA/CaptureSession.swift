import CALSA
import Glibc
import Media

/// A capture device opened and set: from snd_pcm_open to snd_pcm_close.
final class CaptureSession {
    let pcm: OpaquePointer
    let format: SampleFormat
    /// Hz.
    let rate: UInt32
    let channels: UInt32
    /// Frames.
    let period: snd_pcm_uframes_t
    let buffer: snd_pcm_uframes_t
    /// Whether its memory is mapped; otherwise it is read by calls.
    let isMapped: Bool
    let frameBytes: Int
    /// Poll descriptors.
    let descriptorCount: CInt
    /// What became of what was asked of period and buffer, where that is something else: a line each.
    let adjustments: [String]

    /// - Throws: `.notFound`, `.permissionDenied`, `.refused` (in use), `.unsupportedFormat`, saying what it can.
    convenience init(_ settings: CaptureSettings) throws(MediaError) {
        calsa_quiet()
        var pcm: OpaquePointer?
        // Where somebody else has it, alsa-lib would wait for ever without NONBLOCK.
        let error = snd_pcm_open(&pcm, settings.device, SND_PCM_STREAM_CAPTURE, CInt(SND_PCM_NONBLOCK))
        guard error == 0, let pcm else { throw ALSAFailure.opening(error, settings.device) }
        try self.init(settings, opened: pcm)
    }

    /// - Parameter pcm: ours from here on.
    private init(_ settings: CaptureSettings, opened pcm: OpaquePointer) throws(MediaError) {
        self.pcm = pcm
        do throws(MediaError) {
            let parameters = try Parameters(all: pcm)
            isMapped = try Self.setAccess(parameters, pcm, settings)
            format = try Self.setFormat(parameters, pcm, settings)
            channels = try Self.setChannels(parameters, pcm, settings)
            rate = try Self.setRate(parameters, pcm, settings)
            let (periods, buffers) = (parameters.periodText, parameters.bufferText)
            (period, buffer) = try Self.setPeriod(parameters, pcm, settings, rate: rate)
            adjustments = [("period", settings.period, period, periods), ("buffer", settings.buffer, buffer, buffers)].compactMap {
                (what, wanted, given, possible) in
                guard let wanted, wanted != given else { return nil }
                return "a \(what) of \(given) samples, not \(wanted); it has \(possible)" + (what == "buffer" ? ", in whole periods" : "")
            }
            let error = snd_pcm_hw_params(pcm, parameters.pointer)
            guard error == 0 else { throw ALSAFailure.error(error, .unsupportedFormat, settings.device, "does not take what was agreed") }
            try Self.setTiming(pcm, settings, period: period)
        } catch {
            snd_pcm_close(pcm)
            throw error
        }
        frameBytes = Int(format.bits) / 8 * Int(channels)
        descriptorCount = snd_pcm_poll_descriptors_count(pcm)
    }

    deinit { snd_pcm_close(pcm) }

    /// alsa-lib converts for whoever asks for that; only cards have it under a name of their own.
    private static func plugged(_ device: String) -> String {
        device.hasPrefix("hw:") ? "take it as plug\(device)" : "take it as plug:'\(device)'"
    }

    private static func setAccess(_ parameters: borrowing Parameters, _ pcm: OpaquePointer, _ settings: CaptureSettings) throws(MediaError) -> Bool {
        for (access, isMapped) in [(SND_PCM_ACCESS_MMAP_INTERLEAVED, true), (SND_PCM_ACCESS_RW_INTERLEAVED, false)] where parameters.has(access) {
            snd_pcm_hw_params_set_access(pcm, parameters.pointer, access)
            return isMapped
        }
        throw MediaError(
            .unsupportedFormat, object: settings.device, what: "does not interleave its channels", remedy: Self.plugged(settings.device))
    }

    private static func setFormat(
        _ parameters: borrowing Parameters, _ pcm: OpaquePointer, _ settings: CaptureSettings
    ) throws(MediaError) -> SampleFormat {
        let known = parameters.formats
        let wanted = settings.format.map { word in known.filter { $0.isCalled(word) } } ?? known
        guard let format = wanted.first else {
            let list = known.map(\.text).joined(separator: ", ")
            throw MediaError(
                .unsupportedFormat, object: settings.device, what: settings.format.map { "no \($0)" } ?? "no format of ours",
                remedy: list.isEmpty ? Self.plugged(settings.device) : "it has \(list)")
        }
        snd_pcm_hw_params_set_format(pcm, parameters.pointer, format.alsa)
        return format
    }

    private static func setChannels(_ parameters: borrowing Parameters, _ pcm: OpaquePointer, _ settings: CaptureSettings) throws(MediaError)
        -> UInt32
    {
        if let wanted = settings.channels, !parameters.has(channels: wanted) {
            throw MediaError(.unsupportedFormat, object: settings.device, what: "no \(wanted) channels", remedy: "it has \(parameters.channelText)")
        }
        var channels = settings.channels ?? 2
        let error = snd_pcm_hw_params_set_channels_near(pcm, parameters.pointer, &channels)
        guard error == 0 else { throw ALSAFailure.error(error, .unsupportedFormat, settings.device, "has no channels") }
        return channels
    }

    private static func setRate(_ parameters: borrowing Parameters, _ pcm: OpaquePointer, _ settings: CaptureSettings) throws(MediaError) -> UInt32 {
        if let wanted = settings.rate, !parameters.has(rate: wanted) {
            throw MediaError(.unsupportedFormat, object: settings.device, what: "no \(wanted) Hz", remedy: "it has \(parameters.rateText)")
        }
        var (rate, direction): (UInt32, CInt) = (settings.rate ?? 48000, 0)
        let error = snd_pcm_hw_params_set_rate_near(pcm, parameters.pointer, &rate, &direction)
        guard error == 0 else { throw ALSAFailure.error(error, .unsupportedFormat, settings.device, "has no rate") }
        return rate
    }

    /// What was asked is taken to the nearest that the device can, as periods are seldom what one thinks.
    private static func setPeriod(
        _ parameters: borrowing Parameters, _ pcm: OpaquePointer, _ settings: CaptureSettings, rate: UInt32
    ) throws(MediaError) -> (snd_pcm_uframes_t, snd_pcm_uframes_t) {
        var (period, direction): (snd_pcm_uframes_t, CInt) = (settings.period ?? UInt(rate / 100), 0)
        var error = snd_pcm_hw_params_set_period_size_near(pcm, parameters.pointer, &period, &direction)
        guard error == 0, period > 0 else { throw ALSAFailure.error(error, .unsupportedFormat, settings.device, "has no period") }
        // A whole number of periods: then each is in one piece, and goes from the device's memory straight into the slot.
        var buffer = max(settings.buffer ?? period * 8, period * 2) / period * period
        error = snd_pcm_hw_params_set_buffer_size_near(pcm, parameters.pointer, &buffer)
        guard error == 0 else { throw ALSAFailure.error(error, .unsupportedFormat, settings.device, "has no buffer of \(period * 8) frames") }
        return (period, buffer)
    }

    private static func setTiming(_ pcm: OpaquePointer, _ settings: CaptureSettings, period: snd_pcm_uframes_t) throws(MediaError) {
        var parameters: OpaquePointer?
        guard snd_pcm_sw_params_malloc(&parameters) == 0, let parameters else { throw MediaError(.outOfMemory, what: "no memory for a sound card") }
        defer { snd_pcm_sw_params_free(parameters) }
        snd_pcm_sw_params_current(pcm, parameters)
        snd_pcm_sw_params_set_avail_min(pcm, parameters, period)
        snd_pcm_sw_params_set_tstamp_mode(pcm, parameters, SND_PCM_TSTAMP_ENABLE)
        // Plugins may not have it: their times are looked at before they are believed.
        snd_pcm_sw_params_set_tstamp_type(pcm, parameters, SND_PCM_TSTAMP_TYPE_MONOTONIC)
        let error = snd_pcm_sw_params(pcm, parameters)
        guard error == 0 else { throw ALSAFailure.error(error, .cannotOpen, settings.device, "cannot be set") }
    }

    /// Time stamps count frames.
    func description(title: String) -> StreamDescription {
        let layout = channels == 1 ? "mono" : channels == 2 ? "stereo" : "\(channels) channels"
        var audio = StreamDescription.Audio(
            sampleRate: Int32(rate), channels: Int32(channels), channelLayout: layout, sampleFormat: format.name)
        audio.frameSize = Int32(period)
        audio.blockAlign = Int32(frameBytes)
        var stream = StreamDescription(index: 0, kind: .audio(audio), codec: format.codec, timeBase: TimeBase(1, Int32(rate)) ?? .nanosecond)
        stream.bitsPerCodedSample = format.bits
        stream.bitRate = Int64(rate) * Int64(frameBytes) * 8
        stream.title = title
        return stream
    }

    /// What the driver calls it; empty for a plugin without one.
    var title: String {
        var info: OpaquePointer?
        guard snd_pcm_info_malloc(&info) == 0, let info else { return "" }
        defer { snd_pcm_info_free(info) }
        guard snd_pcm_info(pcm, info) == 0 else { return "" }
        return snd_pcm_info_get_name(info).map { String(cString: $0) } ?? ""
    }
}
