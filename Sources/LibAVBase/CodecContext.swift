package import CLibAV
package import Media

/// An AVCodecContext, opened or not.
package struct CodecContext: ~Copyable {
    package let pointer: UnsafeMutablePointer<AVCodecContext>

    package init(_ codec: UnsafePointer<AVCodec>) throws(MediaError) {
        LogTail.install()
        guard let pointer = avcodec_alloc_context3(codec) else { throw .noMemory("a codec") }
        self.pointer = pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVCodecContext>? = pointer
        avcodec_free_context(&pointer)
    }
}
