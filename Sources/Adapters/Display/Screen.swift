import CLibAV
import Media

/// Where pictures are shown. A class, so that a player can hold one or another.
protocol Screen: AnyObject {
    /// Nanoseconds that have to pass between two pictures.
    var shortestInterval: Int64 { get }

    /// Shows a picture now.
    /// - Parameter aspect: width by height as it should look.
    func show(_ picture: UnsafeMutablePointer<AVFrame>, aspect: Double) throws(MediaError)

    /// Answers to the user.
    /// - Returns: false if the user wants to leave.
    func answer() -> Bool

    /// The last picture has been shown.
    /// - Parameter summary: one line without an end.
    func close(summary: String)
}
