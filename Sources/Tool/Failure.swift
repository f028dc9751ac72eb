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
func making<Result>(at path: String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as IPNError {
        if error.object == path && takesNoSockets(error) {
            throw Failure("\(error.object): no network can be made here: the folder, or its file system, takes no sockets: take another path")
        }
        guard error.errno == .noSuchFileOrDirectory else { throw error }
        throw Failure(error.description)
    }
}

/// Whether the kernel said of a new file what it would say of a folder that is missing, or of a right: as in /proc and /sys.
private func takesNoSockets(_ error: IPNError) -> Bool {
    guard error.errno == .noSuchFileOrDirectory || error.errno == .notPermitted else { return false }
    let path = FilePath(error.object)
    let folder = path.isAbsolute || path.components.count > 1 ? path.removingLastComponent() : "."
    var status = stat()
    return lstat(error.object, &status) < 0 && stat(folder.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
