import CSDL
import Media

/// Plays stereo floats, and knows where it is.
struct Loudspeaker: ~Copyable {
    static let rate: Int32 = 48000
    private let device: SDL_AudioDeviceID
    private var isRunning = false
    /// The media time, in nanoseconds, after the last sample queued.
    private var end: Int64?

    /// Sound held before it starts, and held at most; nanoseconds.
    private let cushion: Int64 = 80_000_000
    private let limit: Int64 = 600_000_000

    /// - Throws: `.noDisplay` if nothing plays sound here.
    init() throws(MediaError) {
        csdl_quiet_alsa()
        guard SDL_InitSubSystem(SDL_INIT_AUDIO) == 0 else { throw Self.failure() }
        var wanted = SDL_AudioSpec()
        wanted.freq = Self.rate
        wanted.format = csdl_audio_f32()
        wanted.channels = 2
        wanted.samples = 1024
        let device = SDL_OpenAudioDevice(nil, 0, &wanted, nil, 0)
        guard device != 0 else {
            let error = Self.failure()
            SDL_QuitSubSystem(SDL_INIT_AUDIO)
            throw error
        }
        self.device = device
    }

    deinit {
        SDL_CloseAudioDevice(device)
        SDL_QuitSubSystem(SDL_INIT_AUDIO)
    }

    private static func failure() -> MediaError {
        MediaError(.noDisplay, what: "no sound can be played", cause: "SDL: \(String(cString: SDL_GetError()))")
    }

    /// Nanoseconds not yet played.
    var queued: Int64 { Int64(SDL_GetQueuedAudioSize(device)) * 1_000_000_000 / (Int64(Self.rate) * 8) }

    /// The media time that is heard now; nil before it starts and when it has run dry.
    var position: Int64? {
        guard isRunning, let end else { return nil }
        let queued = queued
        return queued > 0 ? end - queued : nil
    }

    /// - Parameter time: of the first sample, nanoseconds.
    mutating func play(_ samples: UnsafeBufferPointer<Float>, at time: Int64?) {
        let length = Int64(samples.count / 2) * 1_000_000_000 / Int64(Self.rate)
        let start = time ?? end ?? 0
        // The publisher's clock runs faster than this card's, or it sends at its leisure: skip, do not lag.
        guard queued < limit else { return }
        SDL_QueueAudio(device, samples.baseAddress, UInt32(samples.count * 4))
        end = start + length
        if !isRunning, queued >= cushion {
            isRunning = true
            SDL_PauseAudioDevice(device, 0)
        }
    }

    /// Nothing more comes: play what there is, however little.
    mutating func drain() {
        if !isRunning { SDL_PauseAudioDevice(device, 0) }
        isRunning = true
    }
}
