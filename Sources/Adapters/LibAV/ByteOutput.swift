import CLibAV
import Glibc
import LibAVBase
import Media

/// Takes what a muxer writes, where that is neither a file nor an address.
public protocol ByteOutput: AnyObject {
    /// Takes all of them, copied or written on. May block.
    /// - Returns: 0, or an errno, with which the muxer's call fails.
    func write(_ bytes: RawSpan) -> CInt
}

/// An AVIOContext over a `ByteOutput`.
struct ByteOutputContext {
    let pointer: UnsafeMutablePointer<AVIOContext>
    /// What the context's callback is given; released by `free`.
    private let box: Unmanaged<Box>

    private final class Box {
        let output: any ByteOutput
        init(_ output: any ByteOutput) { self.output = output }
    }

    /// Octets that libavformat gathers before it hands them on; it is told to flush after each packet.
    private static let bufferSize = 32768

    init(_ output: any ByteOutput) throws(MediaError) {
        guard let buffer = av_malloc(Self.bufferSize) else { throw .noMemory("an output") }
        let box = Unmanaged.passRetained(Box(output))
        let context = clibav_alloc_output(buffer, Int32(Self.bufferSize), box.toOpaque()) { box, bytes, count in
            let output = Unmanaged<Box>.fromOpaque(box!).takeUnretainedValue().output
            let error = output.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)).bytes)
            return error == 0 ? count : -error
        }
        guard let context else {
            av_free(buffer)
            box.release()
            throw .noMemory("an output")
        }
        pointer = context
        self.box = box
    }

    func free() {
        clibav_free_io(pointer)
        box.release()
    }
}
