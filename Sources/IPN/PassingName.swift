import CLinux
import Glibc
import IPNControl
import IPNSystem

/// A name for a marker that gets its own in one step, once it is bound: in the same folder, of our user's and nobody could guess it.
///
/// Whoever is killed between the two leaves it behind. The next of the same user who comes to need one here, under the
/// owner's lock as all of them, takes it away.
struct PassingName {
    let path: Path
    private let prefix: String

    init(in place: borrowing MarkerPlace) {
        prefix = ".ipn-\(geteuid())-"
        path = place.inFolder(Path(prefix + String(UInt64.random(in: 0 ... .max), radix: 16)))
    }

    /// Removes what killed processes of our user have left: markers under a passing name that nobody holds.
    func clearLeftovers() {
        for name in names(in: path.folder) where name.hasPrefix(prefix) {
            let other = path.folder / Path(name)
            guard let file = try? Descriptor.open(other, flags: O_PATH | O_NOFOLLOW),
                let status = try? file.status(), status.isSocket, status.owner == geteuid(), MarkerState(of: file.raw) == .dead
            else { continue }
            _ = unlink(other.terminated)
        }
    }
}
