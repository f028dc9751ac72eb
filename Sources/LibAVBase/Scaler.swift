package import CLibAV
package import Media

/// Pictures in another size and format.
package struct Scaler: ~Copyable {
    private var context: OpaquePointer?
    private let target: Frame
    private let format: AVPixelFormat

    package init(to format: AVPixelFormat) throws(MediaError) {
        self.format = format
        target = try Frame()
    }

    deinit { sws_freeContext(context) }

    /// - Returns: a picture that is valid until the next call; nil if it cannot be converted.
    package mutating func scale(_ source: UnsafeMutablePointer<AVFrame>, width: Int32, height: Int32) -> UnsafeMutablePointer<AVFrame>? {
        let picture = target.pointer
        if picture.pointee.width != width || picture.pointee.height != height || picture.pointee.data.0 == nil {
            av_frame_unref(picture)
            picture.pointee.width = width
            picture.pointee.height = height
            picture.pointee.format = format.rawValue
            guard av_frame_get_buffer(picture, 0) >= 0 else { return nil }
        } else {
            // An encoder may still hold the last one.
            guard av_frame_make_writable(picture) >= 0 else { return nil }
        }
        context = sws_getCachedContext(
            context, source.pointee.width, source.pointee.height, AVPixelFormat(source.pointee.format), width, height, format,
            SWS_BILINEAR, nil, nil, nil)
        setColors(of: source)
        guard context != nil, sws_scale_frame(context, picture, source) >= 0 else { return nil }
        picture.pointee.colorspace = source.pointee.colorspace
        return picture
    }

    /// libswscale takes everything for BT.601 unless told.
    private func setColors(of source: UnsafeMutablePointer<AVFrame>) {
        let isHD =
            source.pointee.colorspace == AVCOL_SPC_BT709 || (source.pointee.colorspace == AVCOL_SPC_UNSPECIFIED && source.pointee.height >= 720)
        let table = sws_getCoefficients(isHD ? SWS_CS_ITU709 : SWS_CS_DEFAULT)
        let isFull: Int32 = source.pointee.color_range == AVCOL_RANGE_JPEG ? 1 : 0
        let wantsFull: Int32 = format == AV_PIX_FMT_RGB24 || format == AV_PIX_FMT_YUVJ420P ? 1 : 0
        sws_setColorspaceDetails(context, table, isFull, table, wantsFull, 0, 1 << 16, 1 << 16)
    }
}
