import CALSA
import Glibc
public import Media

/// A device of a sound card, and what it can, for people and programs.
public struct SoundReport: Sendable, Codable {
    public enum Direction: String, Sendable, Codable { case capture, playback }

    /// `hw:CARD=Loopback,DEV=0`
    public let device: String
    /// What its driver calls it.
    public let name: String
    public let direction: Direction
    /// Why the rest is empty: another program uses it, or there is no right to.
    public let unavailable: String?
    /// `S16_LE`, those that are carried.
    public let formats: [String]
    /// The usual ones that it has, Hz.
    public let rates: [UInt32]
    public let channels: ClosedRange<UInt32>

    /// All devices of all cards, in their order. Opens those that nobody uses, for a moment.
    public static func all() -> [SoundReport] {
        calsa_quiet()
        var found: [SoundReport] = []
        var card: CInt = -1
        while snd_card_next(&card) == 0, card >= 0 {
            var control: OpaquePointer?
            guard snd_ctl_open(&control, "hw:\(card)", CInt(SND_CTL_NONBLOCK)) == 0, let control else { continue }
            defer { snd_ctl_close(control) }
            let id = identity(of: control) ?? "\(card)"
            var device: CInt = -1
            while snd_ctl_pcm_next_device(control, &device) == 0, device >= 0 {
                for direction in [Direction.capture, .playback] {
                    guard let name = name(of: UInt32(device), direction, control) else { continue }
                    found.append(SoundReport("hw:CARD=\(id),DEV=\(device)", name, direction))
                }
            }
        }
        return found
    }

    /// Cards that alsa-lib does not find, as they are somebody else's.
    public static func closedCards() -> [MediaError] {
        ALSAFailure.closedControls.map { ALSAFailure.error(-EACCES, .permissionDenied, $0, "") }
    }

    private static func identity(of control: OpaquePointer) -> String? {
        var info: OpaquePointer?
        guard snd_ctl_card_info_malloc(&info) == 0, let info else { return nil }
        defer { snd_ctl_card_info_free(info) }
        guard snd_ctl_card_info(control, info) == 0 else { return nil }
        return snd_ctl_card_info_get_id(info).map { String(cString: $0) }
    }

    /// - Returns: nil where the device does not do that.
    private static func name(of device: UInt32, _ direction: Direction, _ control: OpaquePointer) -> String? {
        var info: OpaquePointer?
        guard snd_pcm_info_malloc(&info) == 0, let info else { return nil }
        defer { snd_pcm_info_free(info) }
        snd_pcm_info_set_device(info, device)
        snd_pcm_info_set_subdevice(info, 0)
        snd_pcm_info_set_stream(info, stream(direction))
        guard snd_ctl_pcm_info(control, info) == 0 else { return nil }
        return snd_pcm_info_get_name(info).map { String(cString: $0) }
    }

    private static func stream(_ direction: Direction) -> snd_pcm_stream_t {
        direction == .capture ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
    }

    private init(_ device: String, _ name: String, _ direction: Direction) {
        self.device = device
        self.name = name
        self.direction = direction
        var pcm: OpaquePointer?
        let error = snd_pcm_open(&pcm, device, Self.stream(direction), CInt(SND_PCM_NONBLOCK))
        defer { if let pcm { snd_pcm_close(pcm) } }
        guard error == 0, let pcm, let parameters = try? Parameters(all: pcm) else {
            unavailable = ALSAFailure.error(error, .cannotOpen, device, "cannot be opened").what
            formats = []
            rates = []
            channels = 0...0
            return
        }
        unavailable = nil
        formats = parameters.formats.map(\.text)
        rates = parameters.usualRates
        channels = parameters.channels
    }
}
