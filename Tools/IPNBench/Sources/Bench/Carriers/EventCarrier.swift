import CBench
import Glibc

/// What an eventfd wakes for lies in a page that both sides share.
final class EventSender: Sender {
    private let event: Int32
    private let page: UnsafeMutableRawPointer

    init(_ event: Int32, page: Int32) throws {
        self.event = event
        guard let base = bench_map(page, 4096) else { throw Failure(calling: "mmap", errno) }
        self.page = base
    }

    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws {
        fill(page)
        var one: UInt64 = 1
        guard write(event, &one, 8) == 8 else { throw Failure(calling: "write to an eventfd", errno) }
    }
}

final class EventReceiver: Receiver {
    private let event: Int32
    private let page: UnsafeRawPointer

    init(_ event: Int32, page: Int32) throws {
        self.event = event
        guard let base = bench_map(page, 4096) else { throw Failure(calling: "mmap", errno) }
        self.page = UnsafeRawPointer(base)
    }

    func receive(while body: (UnsafeRawPointer) -> Bool) throws {
        var strokes: UInt64 = 0
        repeat {
            guard read(event, &strokes, 8) == 8 else { throw Failure(calling: "read of an eventfd", errno) }
        } while body(page)
    }
}
