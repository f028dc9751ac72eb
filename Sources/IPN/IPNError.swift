import Glibc
import IPNControl
import IPNSystem
public import SystemPackage

/// What went wrong, with which network, and how to mend it.
///
/// The code is the errno that the specification names for the case, so that Swift, C and programs written for AF_IPN
/// are told the same.
public struct IPNError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Why, as errno.
    public let errno: Errno
    /// The network's path, or what else was asked for.
    public let object: String
    /// A sentence without capital or full stop: what happened.
    public let problem: String
    /// What to do about it, where something can be done.
    public let remedy: String?

    public init(_ errno: Errno, _ object: String, _ problem: String, remedy: String? = nil) {
        self.errno = errno
        self.object = object
        self.problem = problem
        self.remedy = remedy
    }

    /// `/tmp/cam: no network here: bind it first, for example with ipn create`
    public var description: String {
        ([object, problem] + (remedy.map { [$0] } ?? [])).filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

extension IPNError {
    /// The mode bits leave a node nothing of what it wants.
    static func denied(_ directions: Node.Directions, _ path: Path) -> IPNError {
        let (verb, bit) = directions == .send ? ("send", "w") : directions == .receive ? ("receive", "r") : ("receive or send", "r or w")
        return IPNError(.permissionDenied, path.description, "no right to \(verb)", remedy: "ask its owner for \(bit) (chmod)")
    }

    /// The message for an errno that a keeper or the kernel gave for a step on the way onto a network.
    static func joining(_ errno: Errno, _ file: Path) -> IPNError {
        let path = file.description
        if path.isEmpty { return IPNError(errno, "\"\"", "an empty path names no network", remedy: "name a file") }
        return switch errno.rawValue {
        case Errno.noSuchFileOrDirectory.rawValue:
            IPNError(errno, path, "no network here", remedy: "make it first, for example with ipn create")
        case Errno.connectionRefused.rawValue where (try? FileStatus(path: file).isSocket) == false:
            IPNError(errno, path, "not a network, but another kind of file", remedy: "take another path")
        case Errno.connectionRefused.rawValue where MarkerState(at: file) == .foreign:
            IPNError(errno, path, "not a network, but another program's socket", remedy: "take another path")
        case Errno.connectionRefused.rawValue:
            IPNError(errno, path, "no network here: nobody keeps it", remedy: "bind it again as its owner, or remove the file")
        case Errno.permissionDenied.rawValue:
            IPNError(errno, path, "no right to the network, or to its folder", remedy: "ask its owner for r, w or x (chmod), or take another path")
        case Errno.notPermitted.rawValue where RuntimeFolder.takenNames != nil:
            IPNError(
                errno, RuntimeFolder.takenNames!, "strangers have taken all names for the folder of our keepers' doors",
                remedy: "have root remove them, or set \(RuntimeFolder.rootVariable) to another folder")
        case Errno.notPermitted.rawValue:
            IPNError(errno, path, "no right to manage the network", remedy: "ask its owner for x (chmod)")
        case Errno.addressNotAvailable.rawValue:
            IPNError(errno, path, "no port is free on the network", remedy: "raise its limit of nodes, or let somebody leave")
        case EPROTO:
            IPNError(errno, path, "the network is of another protocol, or there is none yet", remedy: "name its protocol, or make it first")
        case EDQUOT:
            IPNError(
                errno, path, "this user has as many nodes on the network as one user may have",
                remedy: "close some, or have its owner make it with a larger \(UserLimits.nodesVariable) or limit of nodes")
        case ENFILE:
            IPNError(errno, path, "the network's keeper has no descriptors left", remedy: "close other nodes, or raise its limit (ulimit -n)")
        case EMFILE:
            IPNError(errno, path, "this process has no descriptor left to join with", remedy: "close some, or raise its limit (ulimit -n)")
        case EFBIG:
            IPNError(errno, path, "what nodes share is larger than a file of this process may be", remedy: "raise its limit (ulimit -f)")
        case ENOSPC:
            IPNError(errno, path, "no room for the network's file, or for its keeper's door", remedy: "free some in its folder and in /tmp")
        case ENOMEM where SharedAllowance.refusal != nil:
            IPNError(errno, path, "no memory left to join with: \(SharedAllowance.refusal!.problem)", remedy: SharedAllowance.refusal!.remedy)
        case ENOMEM:
            IPNError(errno, path, "no memory left to join with", remedy: "free some, or raise the process's limit (ulimit -v, -d)")
        case EAGAIN:
            IPNError(
                errno, path, "no thread to watch the network's keeper with",
                remedy: "free some memory, or raise the limit on memory or threads (ulimit -v, -d, -u)")
        case Errno.notSupportedOnSocket.rawValue:
            IPNError(
                errno, path, "on a file system that other machines may see too, and a network is one kernel's",
                remedy: "take a path on a local one, such as /tmp or /run")
        case Errno.addressInUse.rawValue where MarkerState(at: file) == .dead:
            IPNError(
                errno, path, "seen through an overlay, and not made here: its network may live in another view of the file",
                remedy: "join it there, take another path, or remove the file if nobody uses it")
        case Errno.addressInUse.rawValue:
            IPNError(
                errno, path, "the network lives, but its keeper cannot be reached",
                remedy: "end its ipnd, and a member that is not stopped starts another; or end them all")
        case Errno.execFormatError.rawValue:
            IPNError(
                errno, path, "the network's keeper \(KeeperProgram.path()) cannot be started",
                remedy: "install ipnd beside the program, or name it in \(KeeperProgram.variable)")
        default:
            IPNError(errno, path, "cannot join the network: \(errno)")
        }
    }
}
