import Glibc
import IPNControl
import IPNSystem
import SystemPackage

extension Network {
    /// All networks of this user, sorted by path; asks nobody.
    ///
    /// A network is a bound datagram socket, its marker, whose inode a keeper's listener is named after: the kernel lists both
    /// (`/proc/net/unix`, see proc(5)). So those of another network namespace are missing, and those whose path was renamed.
    public static func ofThisUser() -> [Network] {
        let sockets = unixSockets()
        let listeners = Set(sockets)
        let doors = Set(sockets.compactMap { $0.split(separator: "/").last })
        let paths = Set(sockets.filter { $0.hasPrefix("/") })
        return paths.filter { path in
            guard let status = try? FileStatus(path: path, followLinks: false), status.isSocket, status.owner == geteuid() else { return false }
            guard doors.contains(Rendezvous.name(status)[...]) else { return false }
            return Rendezvous.doors(status).contains { $0 != path && listeners.contains($0) }
        }.sorted().map(Network.init(at:))
    }

    /// The names of all bound sockets of this network namespace.
    private static func unixSockets() -> [String] {
        guard let file = fopen("/proc/net/unix", "re") else { return [] }
        defer { fclose(file) }
        var names: [String] = []
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        while getline(&line, &room, file) > 0, let text = line.map({ String(cString: $0) }) {
            // Seven columns, and a path that may hold blanks.
            let columns = text.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
            if columns.count == 8 { names.append(String(columns[7].dropLast())) }
        }
        return names
    }
}
