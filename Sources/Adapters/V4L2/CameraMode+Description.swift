import CV4L2
import Media

extension CameraMode {
    /// Time stamps are microseconds on CLOCK_MONOTONIC.
    func description(title: String, extradata: [UInt8]) -> StreamDescription {
        var video = StreamDescription.Video(width: Int32(pix.width), height: Int32(pix.height), pixelFormat: format.name)
        video.frameRate = rate
        video.realFrameRate = rate
        video.fieldOrder = fieldOrder
        describeColor(&video)
        var stream = StreamDescription(index: 0, kind: .video(video), codec: format.codec, timeBase: .microsecond)
        stream.codecTag = format.tag
        stream.title = title
        stream.extradata = extradata
        return stream
    }

    /// AVFieldOrder.
    private var fieldOrder: Int32 {
        switch pix.field {
        case V4L2_FIELD_NONE.rawValue: 1
        case V4L2_FIELD_INTERLACED_TB.rawValue: 2
        case V4L2_FIELD_INTERLACED_BT.rawValue: 3
        default: 0
        }
    }

    /// In the numbers of ISO/IEC 23091; 2 is "not said".
    private func describeColor(_ video: inout StreamDescription.Video) {
        let space = pix.colorspace
        guard space != V4L2_COLORSPACE_DEFAULT.rawValue else { return }
        video.colorPrimaries =
            switch space {
            case V4L2_COLORSPACE_SMPTE170M.rawValue: 6
            case V4L2_COLORSPACE_SMPTE240M.rawValue: 7
            case V4L2_COLORSPACE_470_SYSTEM_M.rawValue: 4
            case V4L2_COLORSPACE_470_SYSTEM_BG.rawValue: 5
            case V4L2_COLORSPACE_REC709.rawValue, V4L2_COLORSPACE_SRGB.rawValue, V4L2_COLORSPACE_JPEG.rawValue: 1
            case V4L2_COLORSPACE_BT2020.rawValue: 9
            case V4L2_COLORSPACE_DCI_P3.rawValue: 11
            default: 2
            }
        video.colorTransfer =
            switch cv4l2_transfer(space, pix.xfer_func) {
            case V4L2_XFER_FUNC_709.rawValue: 1
            case V4L2_XFER_FUNC_SRGB.rawValue: 13
            case V4L2_XFER_FUNC_SMPTE240M.rawValue: 7
            case V4L2_XFER_FUNC_NONE.rawValue: 8
            case V4L2_XFER_FUNC_SMPTE2084.rawValue: 16
            default: 2
            }
        let encoding = cv4l2_encoding(space, pix.ycbcr_enc)
        video.colorSpace =
            if format.isRGB { 0 } else {
                switch encoding {
                // Of systems with 625 lines it is said by another number, with the same coefficients.
                case V4L2_YCBCR_ENC_601.rawValue, V4L2_YCBCR_ENC_XV601.rawValue: space == V4L2_COLORSPACE_470_SYSTEM_BG.rawValue ? 5 : 6
                case V4L2_YCBCR_ENC_709.rawValue, V4L2_YCBCR_ENC_XV709.rawValue: 1
                case V4L2_YCBCR_ENC_SMPTE240M.rawValue: 7
                case V4L2_YCBCR_ENC_BT2020.rawValue: 9
                case V4L2_YCBCR_ENC_BT2020_CONST_LUM.rawValue: 10
                default: 2
                }
            }
        let quantization = cv4l2_quantization(format.isRGB ? 1 : 0, space, encoding, pix.quantization)
        video.colorRange = quantization == V4L2_QUANTIZATION_FULL_RANGE.rawValue ? 2 : 1
    }
}
