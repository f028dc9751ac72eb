import CV4L2
import Glibc
import Media

/// What a driver says, as its user would say it.
enum V4L2Failure {
    /// - Parameters:
    ///   - error: an errno.
    ///   - code: where the errno does not say it better.
    static func error(_ error: CInt, _ code: MediaError.Code, _ path: String, _ what: String) -> MediaError {
        switch error {
        case ENOENT:
            MediaError(.notFound, object: path, what: "no such device", remedy: "see ipn devices")
        case ENODEV, ENXIO:
            MediaError(.notFound, object: path, what: "the device is gone")
        case EACCES, EPERM:
            MediaError(.permissionDenied, object: path, what: "no right to use it", remedy: "join the group video, or ask who owns it")
        case EBUSY:
            MediaError(
                .refused, object: path, what: "another program uses it",
                remedy: "end that (fuser -v \(path)), or let it publish, and receive from its network")
        // Of the bus, and not of what was asked: nothing was read either.
        case EIO, EPROTO, EPIPE, ETIMEDOUT:
            MediaError(code == .readFailed ? code : .cannotOpen, object: path, what: what, cause: String(cString: strerror(error)))
        default:
            MediaError(code, object: path, what: what, cause: String(cString: strerror(error)))
        }
    }
}
