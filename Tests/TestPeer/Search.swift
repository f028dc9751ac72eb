import CLinux
import Glibc
import IPNSystem
import TestSupport

/// Looks for a text in all shared memory that this process was handed or made for a network: everything that is mapped
/// of a memfd, and every memfd that is open.
/// - Returns: how often it is there.
func search(_ text: String) throws -> Int {
    let wanted = Array(text.utf8)
    var found = 0
    var looked = 0
    for line in try contents(of: "/proc/self/maps").split(separator: "\n") where line.contains("/memfd:ipn-") {
        let ends = line.split(separator: " ")[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
        guard let start = UnsafeRawPointer(bitPattern: ends[0]) else { continue }
        found += occurrences(of: wanted, in: UnsafeRawBufferPointer(start: start, count: Int(ends[1] - ends[0])))
        looked += 1
    }
    for descriptor in Scratch.list("/proc/self/fd").compactMap({ CInt($0) }) where linux_fcntl(descriptor, F_GET_SEALS, 0) >= 0 {
        let size = try FileStatus(descriptor: descriptor).size
        let mapping = try Mapping(descriptor: descriptor, size: Int(size), writable: false)
        found += occurrences(of: wanted, in: UnsafeRawBufferPointer(start: mapping.base, count: mapping.size))
        looked += 1
    }
    guard looked > 1 else { throw Trouble("no shared memory to look through") }
    return found
}

private func occurrences(of wanted: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int {
    var count = 0
    var rest = bytes[...]
    while let hit = memmem(rest.base.baseAddress! + rest.startIndex, rest.count, wanted, wanted.count) {
        count += 1
        rest = rest[(UnsafeRawPointer(hit) - bytes.baseAddress! + 1)...]
    }
    return count
}

private func contents(of path: String) throws -> String {
    let file = try Descriptor.open(path, flags: O_RDONLY)
    var text: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(file.raw, &piece, piece.count), count > 0 { text += piece[..<count] }
    return String(decoding: text, as: UTF8.self)
}
