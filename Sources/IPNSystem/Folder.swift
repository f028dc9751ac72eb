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

/// The names in a folder, in no order; none where it cannot be read. See readdir(3).
package func names(in folder: some FileName) -> [String] {
    guard let stream = opendir(folder.terminated) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}
