import CBench
import Glibc

/// What a carrier's processes are given beside their arguments.
struct Route {
    var writer: [Handle] = []
    var readers: [[Handle]]

    init(_ carrier: Carrier, _ task: Task) throws {
        readers = Array(repeating: [], count: task.readers)
        switch carrier {
        case .ipn, .peer:
            break
        case .ring:
            writer = [try .memory(RingMemory.bytes(task.size))]
            readers[0] = writer
        case .event:
            writer = [try Handle(owning: bench_event(), "eventfd"), try .memory(4096)]
            readers[0] = writer
        case .stream:
            for index in 0..<task.readers {
                var pair: [Int32] = [-1, -1]
                let room = Int32(min(max(task.size * 4, 1 << 20), 16 << 20))
                guard bench_stream_pair(&pair, room) == 0 else { throw Failure(calling: "socketpair", errno) }
                writer.append(try Handle(owning: pair[0], "socketpair"))
                readers[index] = [try Handle(owning: pair[1], "socketpair")]
            }
        }
    }

    /// How many handles of a carrier a side is given.
    static func count(_ carrier: Carrier, _ task: Task) -> Int {
        switch carrier {
        case .ipn, .peer: 0
        case .ring: 1
        case .event: 2
        case .stream: task.side == .writer ? task.readers : 1
        }
    }
}
