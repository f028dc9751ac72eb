import CLibAV
import Glibc
import LibAVBase
import Media

/// An AVIOContext over standard input that can be interrupted while nothing comes: libavformat's own blocks in read(2).
struct StandardInput {
    let pointer: UnsafeMutablePointer<AVIOContext>
    /// The context borrows it: it has to outlive the closing.
    private let interruption: Interruption

    init(_ interruption: Interruption) throws(MediaError) {
        let size: Int32 = 32768
        guard let buffer = av_malloc(Int(size)) else { throw .noMemory("an input") }
        let context = avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self), size, 0, Unmanaged.passUnretained(interruption).toOpaque(),
            { interruption, bytes, count in
                let interruption = Unmanaged<Interruption>.fromOpaque(interruption!).takeUnretainedValue()
                return StandardInput.read(bytes, count, interruption)
            }, nil, nil)
        guard let context else {
            av_free(buffer)
            throw .noMemory("an input")
        }
        pointer = context
        self.interruption = interruption
    }

    func free() { withExtendedLifetime(interruption) { clibav_free_io(pointer) } }

    private static func read(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32, _ interruption: Interruption) -> Int32 {
        while !interruption.isDue {
            var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 50) > 0 else { continue }
            let got = Glibc.read(STDIN_FILENO, bytes, Int(count))
            if got > 0 { return Int32(got) }
            if got == 0 { return clibav_error_eof() }
            guard errno == EINTR || errno == EAGAIN else { return -errno }
        }
        return clibav_error_exit()
    }
}
