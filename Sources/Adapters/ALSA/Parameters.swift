import CALSA
import Media

/// The configurations that a PCM still has: `snd_pcm_hw_params_t`, narrowed step by step. See alsa-lib's "PCM interface".
struct Parameters: ~Copyable {
    let pointer: OpaquePointer
    private let pcm: OpaquePointer

    /// All that a PCM can.
    init(all pcm: OpaquePointer) throws(MediaError) {
        var pointer: OpaquePointer?
        guard snd_pcm_hw_params_malloc(&pointer) == 0, let pointer else { throw MediaError(.outOfMemory, what: "no memory for a sound card") }
        self.pointer = pointer
        self.pcm = pcm
        // Below zero where there is none at all: then nothing below fits.
        _ = snd_pcm_hw_params_any(pcm, pointer)
    }

    deinit { snd_pcm_hw_params_free(pointer) }

    func has(_ access: snd_pcm_access_t) -> Bool { snd_pcm_hw_params_test_access(pcm, pointer, access) == 0 }
    func has(_ format: SampleFormat) -> Bool { snd_pcm_hw_params_test_format(pcm, pointer, format.alsa) == 0 }
    func has(channels: UInt32) -> Bool { snd_pcm_hw_params_test_channels(pcm, pointer, channels) == 0 }
    func has(rate: UInt32) -> Bool { snd_pcm_hw_params_test_rate(pcm, pointer, rate, 0) == 0 }

    var formats: [SampleFormat] { SampleFormat.all.filter { has($0) } }

    var channels: ClosedRange<UInt32> {
        var (least, most): (UInt32, UInt32) = (0, 0)
        snd_pcm_hw_params_get_channels_min(pointer, &least)
        snd_pcm_hw_params_get_channels_max(pointer, &most)
        return least...max(least, most)
    }

    /// Hz; what lies between may not all be there.
    var rates: ClosedRange<UInt32> {
        var (least, most): (UInt32, UInt32) = (0, 0)
        var direction: CInt = 0
        snd_pcm_hw_params_get_rate_min(pointer, &least, &direction)
        snd_pcm_hw_params_get_rate_max(pointer, &most, &direction)
        return least...max(least, most)
    }

    /// Those of the usual rates that it has, Hz.
    var usualRates: [UInt32] {
        [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000, 176_400, 192_000].filter { has(rate: $0) }
    }

    /// `8000, 44100 and 48000 Hz`, or the bounds where there is none of the usual ones.
    var rateText: String {
        let usual = usualRates
        return usual.isEmpty ? "\(rates.lowerBound) to \(rates.upperBound) Hz" : usual.map(String.init).joined(separator: ", ") + " Hz"
    }

    /// Frames: `64 to 8192`.
    var periodText: String {
        var (least, most): (snd_pcm_uframes_t, snd_pcm_uframes_t) = (0, 0)
        var direction: CInt = 0
        snd_pcm_hw_params_get_period_size_min(pointer, &least, &direction)
        snd_pcm_hw_params_get_period_size_max(pointer, &most, &direction)
        return least == most ? "\(least)" : "\(least) to \(most)"
    }

    /// Likewise.
    var bufferText: String {
        var (least, most): (snd_pcm_uframes_t, snd_pcm_uframes_t) = (0, 0)
        snd_pcm_hw_params_get_buffer_size_min(pointer, &least)
        snd_pcm_hw_params_get_buffer_size_max(pointer, &most)
        return least == most ? "\(least)" : "\(least) to \(most)"
    }

    var channelText: String { channels.count == 1 ? "\(channels.lowerBound)" : "\(channels.lowerBound) to \(channels.upperBound)" }
}
