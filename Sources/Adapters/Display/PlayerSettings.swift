import Glibc
public import Media

/// How a publication is shown and heard.
public struct PlayerSettings: Sendable {
    public enum Output: Sendable {
        /// A window if there is a display, else the terminal if standard output is one, else nothing.
        case automatic
        case window
        case terminal
        /// Decodes, and prints one line at the end.
        case nothing
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

    /// - Throws: `.noDisplay` where a window is asked for by name.
    func screen(_ video: StreamDescription.Video?) throws(MediaError) -> any Screen {
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
