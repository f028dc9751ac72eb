import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Makes a network: the marker, the listener, the keeper process. Under the owner's lock, so that two first binds at
/// the same instant make one.
enum NetworkMaker {
    /// Makes a network at a path where there was nothing.
    /// - Returns: nil where somebody else made something there meanwhile.
    static func make(_ path: Path, _ wanted: ipn_options) throws(Errno) -> Introduction? {
        let place = try MarkerPlace(of: path)
        try place.requireOneKernel()
        let lock = try OwnerLock()
        defer { lock.touch() }
        let marker = try markerSocket(mode: mode_t(wanted.mode))
        do throws(Errno) {
            try place.bind(marker)
        } catch {
            if error == .addressInUse { return nil }
            throw error
        }
        step("make: marker bound, no keeper")
        return try startKeeper(place, marker)
    }

    /// Puts a new network in the place of one whose every party is gone, with the old file's mode.
    /// - Returns: nil where somebody else did so meanwhile.
    static func takeOver(_ path: Path, _ old: FileStatus, _ wanted: ipn_options) throws(Errno) -> Introduction? {
        let lock = try OwnerLock()
        defer { lock.touch() }
        guard let present = try? Descriptor.open(path, flags: O_PATH) else { return nil }
        guard try present.status().isSameFile(as: old), old.owner == geteuid(), MarkerState(of: present.raw) == .dead else { return nil }
        let place = try MarkerPlace(of: present)
        guard place.holds(old) else { return nil }
        let marker = try markerSocket(mode: old.mode & 0o7777)
        try place.replace(by: marker, mode: old.mode)
        // The dead keeper's door goes while we hold the old inode: afterwards its number may be another network's.
        for door in Rendezvous.doors(old) { _ = unlink(door) }
        step("take over: file replaced, no keeper")
        return try startKeeper(place, marker)
    }

    /// Takes away what is left of a network of ours whose keeper ended before anybody was on it.
    static func clear(_ path: Path) {
        guard let lock = try? OwnerLock(), let file = try? Descriptor.open(path, flags: O_PATH), let status = try? file.status() else { return }
        defer { lock.touch() }
        guard status.isSocket, status.owner == geteuid() else { return }
        // Who is ending closes what it holds one after the other, and who is being started holds all that we have, for a moment.
        for _ in 0..<500 where MarkerState(of: file.raw) != .dead { pause(microseconds: 2000) }
        guard MarkerState(of: file.raw) == .dead else { return }
        for door in Rendezvous.doors(status) { _ = unlink(door) }
        file.unlinkCurrentName()
    }

    /// An unbound marker. Its mode is the socket's own before it is bound: bind(2) then applies the umask. It takes in nothing, for what
    /// waits in it would go with its last holder, who may have to wait for that; and by this a marker is known (CLinux/diag.c).
    private static func markerSocket(mode: mode_t) throws(Errno) -> Descriptor {
        let marker = Descriptor(
            owning: try systemCall { socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) })
        let raw = marker.raw
        _ = try systemCall { fchmod(raw, mode & 0o7777) }
        _ = try systemCall { Glibc.shutdown(raw, CInt(SHUT_RD)) }
        return marker
    }

    /// - Parameter marker: bound at the place, which is cleared where nobody can keep it.
    private static func startKeeper(_ place: borrowing MarkerPlace, _ marker: borrowing Descriptor) throws(Errno) -> Introduction {
        do throws(Errno) {
            let file = try place.ownSocket()
            let door = try Rendezvous.ownDoor(try file.status())
            let control = try startKeeper(try file.currentPath(), [marker.raw, file.raw], rendezvous: door, will: -1)
            return Introduction(control: control, door: door, file: file)
        } catch {
            place.clear()
            throw error
        }
    }

    /// Starts the keeper's program behind a new door. The caller holds the owner's lock, and nobody listens there.
    ///
    /// - Parameters:
    ///   - path: for its messages, and for who looks for networks (`Network.ofThisUser`).
    ///   - held: the marker's socket, and its file.
    ///   - will: what a dead keeper knew, where it takes that one's place; or -1.
    /// - Throws: `ENOMEM` where there is no memory for it to start with, as it would have nobody to tell.
    static func startKeeper(_ path: Path, _ held: [CInt], rendezvous: String, will: CInt) throws(Errno) -> ControlSocket {
        try requireMemory(KeeperProgram.memory)
        let listener = Descriptor(
            owning: try systemCall {
                socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            })
        // The inode is ours alone, and held open.
        _ = unlink(rendezvous)
        let raw = listener.raw
        _ = try withSocketAddress(rendezvous) { address, length in linux_bind(raw, address, length) }
        do throws(Errno) {
            // Who may come in is decided by the marker's bits; the directory already hides the name.
            _ = try systemCall { chmod(rendezvous, 0o666) }
            _ = try systemCall { listen(raw, SOMAXCONN) }
            step("start: door open, nobody behind it")
            let (ours, theirs) = try PacketSocket.pair()
            let ourEnd = Descriptor(owning: ours)
            let theirEnd = Descriptor(owning: theirs)
            try spawn(
                arguments: [Path(KeeperProgram.absolutePath()), path, Path(rendezvous)],
                descriptors: held + [listener.raw, theirEnd.raw] + (will >= 0 ? [will] : []))
            step("start: keeper started")
            return ControlSocket(PacketSocket(owning: ourEnd))
        } catch {
            _ = unlink(rendezvous)
            throw error
        }
    }

    private static func spawn(arguments: [Path], descriptors: [CInt]) throws(Errno) {
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0.terminated) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        var environment: [UnsafeMutablePointer<CChar>?] = []
        var next = Glibc.environ
        // A program with raised rights has its caller's, which the keeper, having them from the start, would take for its own.
        while !hasRaisedRights, let entry = next.pointee {
            // What the program had preloaded, ours for AF_IPN first of all, was not meant for its keeper.
            if strncmp(entry, "LD_PRELOAD=", 11) != 0 { environment.append(entry) }
            next += 1
        }
        environment.append(nil)
        guard linux_spawn_detached(arguments[0].terminated, pointers, environment, descriptors, descriptors.count) == 0 else {
            // Where it is not what we lack, the program that cannot be run is what the user must hear of.
            let error = Errno(rawValue: linux_errno())
            let scarce: [Errno] = [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable]
            throw scarce.contains(error) ? error : .execFormatError
        }
    }
}

/// Where the keeper's program is.
enum KeeperProgram {
    /// The environment variable that names it. Ignored in programs with raised rights.
    static let variable = "IPN_KEEPER"
    /// Bytes of its own that it wants to start with, its libraries' included.
    static let memory = 16 << 20

    /// As it is found from wherever a process may be.
    static func absolutePath() -> String {
        let found = path()
        guard let whole = realpath(found, nil) else { return found }
        defer { free(whole) }
        return String(cString: whole)
    }

    /// Beside the running program, beside the library that it uses, or where it was installed.
    static func path() -> String {
        if let named = trustedEnvironment(variable) { return named }
        let candidates =
            [programFolder(), libraryPath().map(folder)].compactMap { $0 }.flatMap { ["\($0)/ipnd", "\($0)/../libexec/ipnd"] }
            + ["/usr/local/libexec/ipnd", "/usr/libexec/ipnd", "/usr/local/bin/ipnd", "/usr/bin/ipnd"]
        return candidates.first { access($0, X_OK) == 0 } ?? candidates[0]
    }

    /// The file that this code was loaded from: the program, or a shared library of a program in another language.
    private static func libraryPath() -> String? {
        linux_object_path(#dsohandle).map { String(cString: $0) }
    }
}
