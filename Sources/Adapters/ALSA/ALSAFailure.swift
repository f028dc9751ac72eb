import CALSA
import Glibc
import Media

/// What alsa-lib says, as its user would say it.
enum ALSAFailure {
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
