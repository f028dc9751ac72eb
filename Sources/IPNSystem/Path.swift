import Glibc

/// Names a file for the kernel.
package protocol FileName {
    /// Its bytes, and a zero.
    var terminated: [CChar] { get }
}

extension String: FileName {
    package var terminated: [CChar] { Array(utf8CString) }
}

/// A file's path as Linux knows it: bytes in no code, of which none is zero. See path_resolution(7).
package struct Path: FileName, Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Parameter bytes: what comes behind a zero is none of it.
    package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes.prefix { $0 != 0 }) }

    package init(_ text: String) { self.init(text.utf8) }

    package var terminated: [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }

    /// As it is shown: what is no UTF-8 is U+FFFD.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    /// The folder that its last name is in. See dirname(3).
    package var folder: Path {
        guard let cut = bytes.lastIndex(of: UInt8(ascii: "/")) else { return Path(".") }
        return cut == 0 ? Path("/") : Path(bytes[..<cut])
    }

    /// What follows the last slash. See basename(3).
    package var lastName: Path { Path(bytes[((bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]) }

    /// A name in a folder.
    package static func / (folder: Path, name: Path) -> Path {
        Path(folder.bytes + (folder.bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + name.bytes)
    }
}
