import CBench
import Glibc

final class StreamSender: Sender {
    private let sockets: [Int32]
    private let buffer: UnsafeMutableRawPointer

    init(_ sockets: [Int32], size: Int) {
        self.sockets = sockets
        buffer = .allocate(byteCount: size, alignment: 4096)
        buffer.initializeMemory(as: UInt8.self, repeating: 1, count: size)
    }

    @inline(__always)
    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws {
        fill(buffer)
        for socket in sockets {
            var done = 0
            while done < count {
                let written = write(socket, buffer + done, count - done)
                guard written > 0 else { throw Failure(calling: "write", errno) }
                done += written
            }
        }
    }
}

/// Small messages are taken many to a read; large ones straight into place.
final class StreamReceiver: Receiver {
    private let socket: Int32
    private let size: Int
    private let capacity: Int
    private let buffer: UnsafeMutableRawPointer
    private var start = 0
    private var end = 0

    init(_ socket: Int32, size: Int) {
        self.socket = socket
        self.size = size
        capacity = size <= 65536 ? 256 << 10 : size
        buffer = .allocate(byteCount: capacity, alignment: 4096)
        buffer.initializeMemory(as: UInt8.self, repeating: 1, count: capacity)
    }

    @inline(__always)
    func receive(while body: (UnsafeRawPointer) -> Bool) throws {
        var wantsMore = true
        while wantsMore {
            if end - start < size { try fetch() }
            wantsMore = body(UnsafeRawPointer(buffer + start))
            start += size
        }
    }

    private func fetch() throws {
        memmove(buffer, buffer + start, end - start)
        end -= start
        start = 0
        while end < size {
            let got = recv(socket, buffer + end, capacity - end, size > 65536 ? Int32(MSG_WAITALL) : 0)
            guard got > 0 else { throw Failure(calling: "recv", errno) }
            end += got
        }
    }
}
