package import CLibAV
package import Media

/// An AVFrame.
package struct Frame: ~Copyable {
    package let pointer: UnsafeMutablePointer<AVFrame>

    package init() throws(MediaError) {
        LogTail.install()
        guard let pointer = av_frame_alloc() else { throw .noMemory("a frame") }
        self.pointer = pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVFrame>? = pointer
        av_frame_free(&pointer)
    }
}
