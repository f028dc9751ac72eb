import CLibAV
import Media

/// What the user asks for with a key.
enum PlayerKey: Sendable, Equatable {
    case leave, pause, mute, louder, quieter, fullScreen

    /// Of a character, as in other players; nil for those that mean nothing.
    init?(_ character: UInt8) {
        switch character {
        case UInt8(ascii: "q"): self = .leave
        case UInt8(ascii: " "): self = .pause
        case UInt8(ascii: "m"): self = .mute
        case UInt8(ascii: "0"): self = .louder
        case UInt8(ascii: "9"): self = .quieter
        case UInt8(ascii: "f"): self = .fullScreen
        default: return nil
        }
    }
}

/// Where pictures are shown. A class, so that a player can hold one or another.
protocol Screen: AnyObject {
    /// Nanoseconds that have to pass between two pictures.
    var shortestInterval: Int64 { get }

    /// Shows a picture now.
    /// - Parameter aspect: width by height as it should look.
    func show(_ picture: UnsafeMutablePointer<AVFrame>, aspect: Double) throws(MediaError)

    /// The keys that the user has pressed since the last call.
    func keys() -> [PlayerKey]

    func toggleFullScreen()

    /// Says a line beside the picture.
    /// - Returns: false if there is no place for one.
    func say(_ line: String) -> Bool

    /// The last picture has been shown.
    /// - Parameter summary: one line without an end.
    func close(summary: String)
}
