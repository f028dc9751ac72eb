import CLinux
import Glibc
import IPNControl
import IPNSystem

/// A name for a marker that gets its own in one step, once it is bound: in the same folder, of our user's and nobody could guess it.
///
/// Whoever is killed between the two leaves it behind. The next of the same user who comes to need one here, under the
/// owner's lock as all of them, takes it away.
struct PassingName {
    let path: String
    private let folder: String
    private let prefix: String

    /// - Parameter target: the name that it is to get.
    init(beside target: String) {
        folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
        prefix = ".ipn-\(geteuid())-"
        path = folder + prefix + String(UInt64.random(in: 0 ... .max), radix: 16)
    }

    /// Removes what killed processes of our user have left: markers under a passing name that nobody holds.
    func clearLeftovers() {
        guard let stream = opendir(folder) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            guard name.hasPrefix(prefix), let file = try? Descriptor.open(folder + name, flags: O_PATH | O_NOFOLLOW),
                let status = try? file.status(), status.isSocket, status.owner == geteuid(), MarkerState(of: file.raw) == .dead
            else { continue }
            _ = unlink(folder + name)
        }
    }
}
