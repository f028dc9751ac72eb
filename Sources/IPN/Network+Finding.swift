import Glibc
import IPNControl
import IPNSystem
import SystemPackage

extension Network {
    /// All networks of this user, sorted by path; asks nobody.
    ///
    /// A keeper's command line names the network and its door, and the kernel lists which doors are open (`/proc/net/unix`, see
    /// proc(5)). So those of another network or pid namespace are missing, and those whose path was renamed since the keeper started.
    public static func ofThisUser() -> [Network] {
        let listeners = unixSockets()
        var paths: Set<String> = []
        for words in commandLines() where words.count == 3 && listeners.contains(words[2]) {
            guard let status = try? FileStatus(path: words[1], followLinks: false), status.isSocket, status.owner == geteuid() else { continue }
            if Rendezvous.doors(status).contains(words[2]) { paths.insert(words[1]) }
        }
        return paths.sorted().map(Network.init(at:))
    }

    /// The command lines of this user's processes.
    private static func commandLines() -> [[String]] {
        var lines: [[String]] = []
        for name in names(in: "/proc") where Int(name) != nil {
            guard let status = try? FileStatus(path: "/proc/\(name)"), status.owner == geteuid(),
                let file = fopen("/proc/\(name)/cmdline", "re")
            else { continue }
            defer { fclose(file) }
            // Of a keeper's there is a program and two paths.
            var bytes = [UInt8](repeating: 0, count: 3 * Int(PATH_MAX))
            let count = fread(&bytes, 1, bytes.count, file)
            lines.append(bytes[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
        }
        return lines
    }

    /// The names of all bound sockets of this network namespace.
    private static func unixSockets() -> Set<String> {
        guard let file = fopen("/proc/net/unix", "re") else { return [] }
        defer { fclose(file) }
        var names: Set<String> = []
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        while getline(&line, &room, file) > 0, let text = line.map({ String(cString: $0) }) {
            // Seven columns, and a path that may hold blanks.
            let columns = text.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
            if columns.count == 8 { names.insert(String(columns[7].dropLast())) }
        }
        return names
    }
}
