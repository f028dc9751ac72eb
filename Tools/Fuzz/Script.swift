/// An input, read from front to back; behind its end there are zeros.
struct Script {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place >= bytes.count }
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[min(place, bytes.count)...]) }

    mutating func byte() -> UInt8 {
        guard place < bytes.count else { return 0 }
        defer { place += 1 }
        return bytes[place]
    }

    mutating func below(_ bound: Int) -> Int { Int(byte()) % bound }

    mutating func word() -> UInt64 {
        var word: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) { word |= UInt64(byte()) << shift }
        return word
    }

    /// A value near something, or one that arithmetic stumbles over, or any.
    mutating func value(near truth: UInt64) -> UInt64 {
        switch below(6) {
        case 0: 0
        case 1: .max
        case 2: UInt64(Int64.max) &+ UInt64(below(2))
        case 3: truth &+ UInt64(below(64))
        case 4: truth &- UInt64(below(64))
        default: word()
        }
    }

    /// Fills a record with what comes next.
    mutating func fill<Record>(_ record: inout Record) {
        withUnsafeMutableBytes(of: &record) { room in
            let here = min(room.count, max(bytes.count - place, 0))
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[place..<place + here]))
            place += here
        }
    }
}

func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    guard !condition else { return }
    fatalError(what())
}
