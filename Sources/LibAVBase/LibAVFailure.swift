import CLibAV
private import Glibc
package import Media

/// libav's negative numbers as ours.
package enum LibAVFailure {
    /// libav's own words for a status.
    package static func text(_ status: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            av_strerror(status, buffer.baseAddress, buffer.count)
            return String(cString: buffer.baseAddress!)
        }
    }

    /// - Parameters:
    ///   - status: negative.
    ///   - otherwise: the code where the status says nothing better.
    ///   - otherRemedy: what to do where the status says nothing better.
    ///   - isInput: whether it is about what was read: of what is written, others say what a file is.
    ///   - mark: where in the log the operation began.
    package static func error(
        _ status: Int32, _ otherwise: MediaError.Code, object: String, what: String, remedy otherRemedy: String = "", isInput: Bool = true,
        since mark: UInt64, interruption: Interruption? = nil
    ) -> MediaError {
        var (code, reason, remedy) = meaning(of: status, isInput) ?? (otherwise, "", otherRemedy)
        if let interruption, status == clibav_error_exit() || interruption.isDue {
            if interruption.stop.isRaised {
                (code, reason, remedy) = (.cancelled, "stopped", "")
            } else if interruption.isPastDeadline {
                (code, reason, remedy) = (.timedOut, "no answer in time", "check that the other side is up and reachable")
            }
        }
        let lines = LogTail.lines(since: mark)
        // Where the log repeats the status, one layer tells after the other what the lowest has met; and so may our own words.
        let said = text(status)
        let causes = (said.lowercased() == reason ? [] : [said]) + lines.prefix { !$0.contains(said) }
        return MediaError(
            code, object: object, what: reason.isEmpty ? what : "\(what): \(reason)", remedy: remedy,
            cause: causes.isEmpty ? "" : "libav: \(causes.joined(separator: "; "))")
    }

    private static func meaning(of status: Int32, _ isInput: Bool) -> (MediaError.Code, String, String)? {
        switch status {
        case clibav_error_http_unauthorized(), clibav_error_http_forbidden():
            return (.refused, "the server does not let us in", "check user and password in the address")
        case clibav_error_http_not_found(): return (.notFound, "the server knows no such stream", "check the path in the address")
        case clibav_error_protocol_not_found():
            return (.unsupportedFormat, "this libavformat does not speak that protocol", "`ffmpeg -protocols` lists what it speaks")
        case clibav_error_option_not_found(): return (.invalidOption, "unknown option", "")
        case clibav_error_invalid_data() where isInput: return (.unsupportedFormat, "not understood", "`ffprobe` tells what a file is")
        default: break
        }
        switch clibav_errno_of_error(status) {
        case ENOSPC, EDQUOT: return (.diskFull, "no space left", "free some space, or write elsewhere")
        case ECONNREFUSED: return (.refused, "connection refused", "check that the server is running at that port")
        case ETIMEDOUT: return (.timedOut, "no answer in time", "check that the other side is up and reachable")
        case EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL:
            return (.unreachable, "cannot be reached", "check the address and the route to it")
        case ENOENT: return (.notFound, "no such file or folder", "check the path")
        case EACCES, EPERM, EROFS: return (.permissionDenied, "not permitted", "check the rights of file and folder")
        case ENOMEM: return (.outOfMemory, "out of memory", "")
        case EPIPE, ECONNRESET: return (.writeFailed, "the other side hung up", "")
        default: return nil
        }
    }
}
