import CALSA
import Glibc
import Media

/// An ALSA device, by its name: a card, or PulseAudio and PipeWire through their plugins. Follows alsa-lib's pcm interface.
final class SoundCard: SoundDevice {
    let rate: Int32 = 48000
    private(set) var isGone = false
    private let pcm: OpaquePointer
    /// It ran dry as it was written to, of which nobody has been told yet.
    private var isDry = false
    /// Since when it could not be brought back, nanoseconds on CLOCK_MONOTONIC.
    private var failure: Int64?

    /// - Parameter latency: nanoseconds; it holds twice that, or as much as it can.
    /// - Throws: `.noDisplay` if nothing plays sound there.
    init(_ name: String, latency: Int64) throws(MediaError) {
        calsa_quiet()
        let buffer = UInt32(max(200_000, latency / 500))
        do throws(MediaError) {
            pcm = try Self.open(name, UInt32(rate), buffer)
        } catch {
            // Most cards know nothing of floats, and some not of this rate: alsa-lib converts for them.
            guard let converted = try? Self.open("plug:'\(name)'", UInt32(rate), buffer) else { throw error }
            pcm = converted
        }
    }

    private static func open(_ name: String, _ rate: UInt32, _ buffer: UInt32) throws(MediaError) -> OpaquePointer {
        var opened: OpaquePointer?
        let status = snd_pcm_open(&opened, name, SND_PCM_STREAM_PLAYBACK, Int32(SND_PCM_NONBLOCK))
        guard status >= 0, let opened else { throw failure(name, status) }
        let set = configure(opened, rate, buffer: buffer)
        guard set >= 0 else {
            snd_pcm_close(opened)
            throw failure(name, set)
        }
        return opened
    }

    deinit {
        snd_pcm_drop(pcm)
        snd_pcm_close(pcm)
    }

    private static func failure(_ name: String, _ status: Int32) -> MediaError {
        MediaError(
            .noDisplay, object: name, what: "no sound can be played", remedy: "`aplay -L` lists devices for --sound-device",
            cause: "ALSA: \(String(cString: snd_strerror(status)))")
    }

    /// Periods as short as most cards have them.
    private static func configure(_ pcm: OpaquePointer, _ rate: UInt32, buffer: UInt32) -> Int32 {
        var hardware: OpaquePointer?
        var software: OpaquePointer?
        guard snd_pcm_hw_params_malloc(&hardware) >= 0, snd_pcm_sw_params_malloc(&software) >= 0 else { return -ENOMEM }
        defer {
            snd_pcm_hw_params_free(hardware)
            snd_pcm_sw_params_free(software)
        }
        var (rate, buffer, period) = (rate, buffer, UInt32(10_000))
        let steps: [() -> Int32] = [
            { snd_pcm_hw_params_any(pcm, hardware) },
            { snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED) },
            { snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_FLOAT) },
            { snd_pcm_hw_params_set_channels(pcm, hardware, 2) },
            { snd_pcm_hw_params_set_rate(pcm, hardware, rate, 0) },
            { snd_pcm_hw_params_set_period_time_near(pcm, hardware, &period, nil) },
            { snd_pcm_hw_params_set_buffer_time_near(pcm, hardware, &buffer, nil) },
            { snd_pcm_hw_params(pcm, hardware) },
            { snd_pcm_sw_params_current(pcm, software) },
            // It plays from the first frame on: whoever writes knows how much goes ahead.
            { snd_pcm_sw_params_set_start_threshold(pcm, software, 1) },
            { snd_pcm_sw_params(pcm, software) },
            // The plugin for PulseAudio heeds them from here on only.
            { snd_pcm_prepare(pcm) },
        ]
        for step in steps {
            let status = step()
            guard status >= 0 else { return status }
        }
        return 0
    }

    func delay() -> Int? {
        var frames: snd_pcm_sframes_t = 0
        let status = snd_pcm_delay(pcm, &frames)
        guard status < 0 || isDry else {
            failure = nil
            return max(0, frames)
        }
        isDry = false
        if status < 0 { recover(status) }
        return nil
    }

    func write(_ samples: UnsafeBufferPointer<Float>) -> Int {
        let count = samples.count / 2
        guard count > 0 else { return 0 }
        let written = snd_pcm_writei(pcm, samples.baseAddress, snd_pcm_uframes_t(count))
        guard written < 0 else { return written }
        if written != -EAGAIN {
            recover(Int32(written))
            isDry = true
        }
        return 0
    }

    /// After an xrun, and after the machine slept. Where it cannot go on, and not only for now, it is gone.
    private func recover(_ error: Int32) {
        let status = snd_pcm_recover(pcm, error, 1)
        guard status < 0, status != calsa_again() else { return }
        // A sound server that has just been spoken to may have I/O errors for some milliseconds.
        let now = monotonicNanoseconds()
        let since = failure ?? now
        failure = since
        isGone = status != -EIO || now - since > 500_000_000
    }
}
