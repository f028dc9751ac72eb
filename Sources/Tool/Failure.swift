import Glibc
import IPN
import Media
import SystemPackage

/// What the exit status says.
enum ExitStatus: Int32 {
    case failed = 1
    case usage = 2
    case noNetwork = 3
    case noRight = 4
    /// A recording that `ipn check` has found wanting.
    case notWhole = 5
    /// As env(1) has it, for what `ipn run` is to run.
    case notExecutable = 126
    case notFound = 127

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

extension ExitStatus {
    init(_ error: MediaError) { self = error.code == .permissionDenied ? .noRight : .failed }
}

/// Does what looks at a command's words alone: what they cannot mean is wrong usage, as with those that the parser refuses.
func reading<Result>(_ body: () throws(MediaError) -> Result) throws -> Result {
    do throws(MediaError) {
        return try body()
    } catch {
        guard error.code == .invalidOption else { throw error }
        throw Failure(error.description, status: .usage)
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

/// Does what makes a network, if there is none: that it cannot be made, its folder missing, is a failure like any other, and
/// nobody has looked for a network there.
func making<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as IPNError {
        guard error.errno == .noSuchFileOrDirectory else { throw error }
        throw Failure(error.description)
    }
}
