import Glibc
import Media

/// How a publication is shown and heard.
public struct PlayerSettings: Sendable {
    public enum Output: Sendable, Equatable {
        /// A window if there is a display, else the terminal if standard output is one, else nothing.
        case automatic
        case window
        case terminal
        /// Decodes, and prints one line at the end.
        case nothing
        /// A Video4Linux output, as v4l2loopback has them; a format of nil is left to stream and device.
        case camera(String, V4L2OutputFormat?)
    }

    /// Of the window.
    public var title = "ipn"
    public var output = Output.automatic
    public var isFullScreen = false
    /// Whether to play the sound.
    public var sound = true
    /// An ALSA device.
    public var soundDevice = "default"
    /// Percent, 0 ... 100.
    public var volume = 100
    /// Nanoseconds from capture to screen and ear: what packets, decoders and cards need, and pictures wait for.
    public var latency: Int64 = 100_000_000

    public init() {}

    /// - Throws: `.noDisplay` where a window is asked for by name; for a camera what `V4L2Screen` throws, or `.noStreams`.
    func screen(_ video: StreamDescription.Video?) throws(MediaError) -> any Screen {
        if case .camera(let path, let format) = output {
            guard let video else { throw MediaError(.noStreams, object: path, what: "no pictures for it: the stream has none") }
            return try V4L2Screen(path, format, video)
        }
        guard let video, output != .nothing else { return NoScreen() }
        if output != .terminal {
            let isThere = Self.isSet("DISPLAY") || Self.isSet("WAYLAND_DISPLAY")
            if isThere || output == .window {
                do {
                    let window = try WindowScreen(title: title, width: video.width, height: video.height)
                    if isFullScreen { window.toggleFullScreen() }
                    return window
                } catch {
                    guard output == .automatic else { throw error }
                }
            }
        }
        guard output == .terminal || isatty(STDOUT_FILENO) == 1 else { return NoScreen() }
        return try TerminalScreen(descriptor: STDOUT_FILENO)
    }

    private static func isSet(_ variable: String) -> Bool { getenv(variable).map { $0.pointee != 0 } ?? false }
}
