import CALSA

/// A format of samples, as alsa-lib and FFmpeg name it.
struct SampleFormat: Sendable {
    let alsa: snd_pcm_format_t
    /// FFmpeg's codec.
    let codec: String
    /// FFmpeg's sample format of its decoder.
    let name: String

    /// Whether its three octets lie low in four, where no codec has them: they go out at the top, which is the same sound.
    var isLow: Bool { alsa == SND_PCM_FORMAT_S24_LE || alsa == SND_PCM_FORMAT_S24_BE }

    /// `S16_LE`
    var text: String { snd_pcm_format_name(alsa).map { String(cString: $0) } ?? "?" }
    /// Bits in memory.
    var bits: Int32 { snd_pcm_format_physical_width(alsa) }

    /// Whether a user who writes this means it: `s16`, `S16_LE`, `pcm_s16le`.
    func isCalled(_ word: String) -> Bool {
        let word = word.lowercased()
        return word == text.lowercased() || word == codec || word == codec.dropFirst(4) || word + "_le" == text.lowercased()
    }

    /// Moves samples of three octets that lie low in four to the top.
    /// - Parameter room: as long as `samples`, or the very same memory.
    func raise(_ samples: UnsafeRawPointer, into room: UnsafeMutableRawBufferPointer) {
        let isBigEndian = alsa == SND_PCM_FORMAT_S24_BE
        for offset in stride(from: 0, to: room.count, by: 4) {
            let sample = samples.load(fromByteOffset: offset, as: UInt32.self)
            let raised = isBigEndian ? (UInt32(bigEndian: sample) << 8).bigEndian : (UInt32(littleEndian: sample) << 8).littleEndian
            room.storeBytes(of: raised, toByteOffset: offset, as: UInt32.self)
        }
    }

    /// All that is carried; the first that a device has is the one it is asked for, if nobody says otherwise.
    static let all: [SampleFormat] = [
        SampleFormat(alsa: SND_PCM_FORMAT_S16_LE, codec: "pcm_s16le", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_S32_LE, codec: "pcm_s32le", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_S24_3LE, codec: "pcm_s24le", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_S24_LE, codec: "pcm_s32le", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_FLOAT_LE, codec: "pcm_f32le", name: "flt"),
        SampleFormat(alsa: SND_PCM_FORMAT_FLOAT64_LE, codec: "pcm_f64le", name: "dbl"),
        SampleFormat(alsa: SND_PCM_FORMAT_S16_BE, codec: "pcm_s16be", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_S32_BE, codec: "pcm_s32be", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_S24_3BE, codec: "pcm_s24be", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_S24_BE, codec: "pcm_s32be", name: "s32"),
        SampleFormat(alsa: SND_PCM_FORMAT_FLOAT_BE, codec: "pcm_f32be", name: "flt"),
        SampleFormat(alsa: SND_PCM_FORMAT_FLOAT64_BE, codec: "pcm_f64be", name: "dbl"),
        SampleFormat(alsa: SND_PCM_FORMAT_U16_LE, codec: "pcm_u16le", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_U16_BE, codec: "pcm_u16be", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_U8, codec: "pcm_u8", name: "u8"),
        SampleFormat(alsa: SND_PCM_FORMAT_S8, codec: "pcm_s8", name: "u8"),
        SampleFormat(alsa: SND_PCM_FORMAT_MU_LAW, codec: "pcm_mulaw", name: "s16"),
        SampleFormat(alsa: SND_PCM_FORMAT_A_LAW, codec: "pcm_alaw", name: "s16"),
    ]
}
