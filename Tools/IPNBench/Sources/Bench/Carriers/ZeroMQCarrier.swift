import CZMQ
import Glibc

/// Messages that may be queued on each side: at most 64 MiB of them.
private func highWaterMark(_ size: Int) -> Int32 { Int32(max(4, min(1000, (64 << 20) / size))) }

private func set(_ socket: UnsafeMutableRawPointer?, _ option: Int32, _ value: Int32) throws {
    var value = value
    guard zmq_setsockopt(socket, option, &value, 4) == 0 else { throw Failure(calling: "zmq_setsockopt", errno) }
}

final class ZeroMQSender: Sender {
    private let context = zmq_ctx_new()
    private let socket: UnsafeMutableRawPointer?
    private let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)

    init(_ address: String, size: Int) throws {
        socket = zmq_socket(context, ZMQ_XPUB)
        try set(socket, ZMQ_XPUB_NODROP, 1)
        try set(socket, ZMQ_SNDHWM, highWaterMark(size))
        try set(socket, ZMQ_LINGER, 3000)
        guard zmq_bind(socket, address) == 0 else { throw Failure(calling: "zmq_bind", errno) }
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
        message.deallocate()
    }

    @inline(__always)
    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws {
        guard zmq_msg_init_size(message, count) == 0 else { throw Failure(calling: "zmq_msg_init_size", errno) }
        fill(zmq_msg_data(message))
        while zmq_msg_send(message, socket, 0) < 0 {
            guard errno == EAGAIN || errno == EINTR else { throw Failure(calling: "zmq_msg_send", errno) }
        }
    }
}

final class ZeroMQReceiver: Receiver {
    private let context = zmq_ctx_new()
    private let socket: UnsafeMutableRawPointer?
    private let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)

    init(_ address: String, size: Int) throws {
        socket = zmq_socket(context, ZMQ_SUB)
        guard zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) == 0 else { throw Failure(calling: "zmq_setsockopt", errno) }
        try set(socket, ZMQ_RCVHWM, highWaterMark(size))
        try set(socket, ZMQ_RECONNECT_IVL, 5)
        guard zmq_connect(socket, address) == 0 else { throw Failure(calling: "zmq_connect", errno) }
    }

    deinit {
        zmq_close(socket)
        zmq_ctx_term(context)
        message.deallocate()
    }

    @inline(__always)
    func receive(_ body: (UnsafeRawPointer) -> Void) throws {
        zmq_msg_init(message)
        guard zmq_msg_recv(message, socket, 0) >= 0 else { throw Failure(calling: "zmq_msg_recv", errno) }
        body(UnsafeRawPointer(zmq_msg_data(message)))
        zmq_msg_close(message)
    }
}
