import Glibc

/// The folder that a path's last name is in. See dirname(3).
package func folder(of path: String) -> String {
    // By bytes: a mark that combines with the slash before it makes it no other separator.
    Path(path).folder.description
}

/// The folder of the running program; nil where /proc does not tell. See proc_pid_exe(5).
package func programFolder() -> String? {
    var name = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &name, Int(PATH_MAX))
    return length > 0 ? Path(name[..<length].map(UInt8.init(bitPattern:))).folder.description : nil
}
