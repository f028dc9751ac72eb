import CALSA

/// A format of samples, as alsa-lib and FFmpeg name it.
struct SampleFormat: Sendable {
    let alsa: snd_pcm_format_t
    /// FFmpeg's codec.
    let codec: String
    /// FFmpeg's sample format of its decoder.
    let name: String

    /// `S16_LE`
    var text: String { snd_pcm_format_name(alsa).map { String(cString: $0) } ?? "?" }
    /// Bits in memory.
    var bits: Int32 { snd_pcm_format_physical_width(alsa) }

    /// Whether a user who writes this means it: `s16`, `S16_LE`, `pcm_s16le`.
    func isCalled(_ word: String) -> Bool {
        let word = word.lowercased()
        return word == text.lowercased() || word == codec || word == codec.dropFirst(4) || word + "_le" == text.lowercased()
    }

    /// All that is carried; the first that a device has is the one it is asked for, if nobody says otherwise. S24_LE, three
    /// octets of four, is not among them: no codec is like it, and who has it has S32_LE.
    static let all: [SampleFormat] = [
        SampleFormat(alsa: SND_PCM_FORMAT_S16_LE, codec: "pcm_s16le", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_S32_LE, codec: "pcm_s32le", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_S24_3LE, codec: "pcm_s24le", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_FLOAT_LE, codec: "pcm_f32le", name: "flt"),
        SampleFormat(alsa: SND_PCM_FORMAT_FLOAT64_LE, codec: "pcm_f64le", name: "dbl"),
        SampleFormat(alsa: SND_PCM_FORMAT_S16_BE, codec: "pcm_s16be", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_S32_BE, codec: "pcm_s32be", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_S24_3BE, codec: "pcm_s24be", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_U8, codec: "pcm_u8", name: "u8"),
        SampleFormat(alsa: SND_PCM_FORMAT_MU_LAW, codec: "pcm_mulaw", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_A_LAW, codec: "pcm_alaw", name: "s16"),
    ]
}
