import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// The file at the network's path: a bound datagram socket whose description every member holds, so that a connect to
/// it is refused only when the last of them is gone.
struct Marker: ~Copyable {
    let socket: Descriptor
    /// Held open, so that the inode's number cannot be another file's.
    let path: Descriptor
    private let identity: FileStatus

    init(socket: consuming Descriptor, path: consuming Descriptor) throws(Errno) {
        identity = try path.status()
        self.socket = socket
        self.path = path
    }

    /// As it is now: chmod and chown take effect at once.
    func status() throws(Errno) -> FileStatus { try path.status() }

    /// Whether `descriptor` is an `O_PATH` descriptor of this very file: whoever has one could reach it.
    func isReached(by descriptor: CInt) -> Bool {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        guard case .path = HandedKind(of: descriptor), linux_identity(descriptor, &device, &inode) == 0 else { return false }
        return device == identity.device && inode == identity.inode
    }

    /// An `O_PATH` descriptor of the file.
    var pathNumber: CInt { path.raw }

    /// Gives up our own hold on the network. - Returns: whether nobody else has one.
    func isForsaken() -> Bool {
        // Over the socket, not beside it: as long as we hold it, it is alive.
        guard dup2(path.raw, socket.raw) >= 0 else { return false }
        // A process that is ending closes what it holds one after the other.
        for _ in 0..<50 where MarkerState(of: path.raw) != .dead { usleep(1000) }
        return MarkerState(of: path.raw) == .dead
    }

    /// Removes the file, wherever it was renamed to.
    func remove() { path.unlinkCurrentName() }
}
