import CBench
import Glibc

/// A descriptor of the bench's own, closed with it. Numbered high, so that a worker's low numbers are free for it.
final class Handle {
    let raw: Int32

    init(owning descriptor: Int32, _ call: String) throws {
        guard descriptor >= 0 else { throw Failure(calling: call, errno) }
        raw = fcntl(descriptor, F_DUPFD_CLOEXEC, 256)
        let number = errno
        close(descriptor)
        guard raw >= 0 else { throw Failure(calling: "fcntl", number) }
    }

    deinit { close(raw) }

    static func memory(_ bytes: Int) throws -> Handle { try Handle(owning: bench_memory(bytes), "memfd_create") }
}
