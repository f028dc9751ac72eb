import Glibc
import IPN
import SystemPackage

/// What the exit status says.
enum ExitStatus: Int32 {
    case failed = 1
    case usage = 2
    case noNetwork = 3
    case noRight = 4

    init(_ error: IPNError) {
        switch error.errno.rawValue {
        case ENOENT, ECONNREFUSED: self = .noNetwork
        case EACCES, EPERM: self = .noRight
        // An option out of its range.
        case EINVAL: self = .usage
        default: self = .failed
        }
    }
}

/// Something that ends a command, said in one line: which object, what, and what to do.
struct Failure: Error {
    let message: String
    var status = ExitStatus.failed

    init(_ message: String, status: ExitStatus = .failed) {
        self.message = message
        self.status = status
    }
}
