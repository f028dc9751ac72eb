import CALSA
import Glibc
import Media

/// What alsa-lib says, as its user would say it.
enum ALSAFailure {
    /// Why a PCM cannot be opened. Where cards are somebody else's, alsa-lib does not find them by their names.
    static func opening(_ error: CInt, _ device: String) -> MediaError {
        let isMissing = [ENOENT, ENODEV, ENXIO].contains(-error)
        return self.error(isMissing && areCardsClosed ? -EACCES : error, .cannotOpen, device, "cannot be opened")
    }

    /// Whether there are cards, and none of them is for us.
    private static var areCardsClosed: Bool { !controls.isEmpty && closedControls.count == controls.count }

    private static var controls: [String] { (0..<32).map { "/dev/snd/controlC\($0)" }.filter { access($0, F_OK) == 0 } }

    /// The nodes of cards that are not for us.
    static var closedControls: [String] { controls.filter { access($0, R_OK | W_OK) != 0 && errno == EACCES } }

    /// - Parameter error: as alsa-lib returns it, below zero.
    static func error(_ error: CInt, _ code: MediaError.Code, _ device: String, _ what: String) -> MediaError {
        switch -error {
        case ENOENT:
            MediaError(.notFound, object: device, what: "no such PCM", remedy: "see ipn devices, and alsa's configuration")
        case ENODEV, ENXIO:
            MediaError(.notFound, object: device, what: "the device is gone, or was never there", remedy: "see ipn devices")
        case EACCES, EPERM:
            MediaError(.permissionDenied, object: device, what: "no right to use it", remedy: "join the group audio")
        case EBUSY:
            MediaError(
                .refused, object: device, what: "another program uses it",
                remedy: "end that (fuser -v /dev/snd/*), or let it publish, and receive from its network")
        default:
            MediaError(code, object: device, what: what, cause: String(cString: snd_strerror(error)))
        }
    }
}
