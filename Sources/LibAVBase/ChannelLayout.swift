package import CLibAV

extension UnsafeMutablePointer where Pointee == AVFrame {
    /// Where nobody says which loudspeaker each channel is for, as in plain WAV files: the usual ones of as many, or else the first in
    /// the order that libav counts them in. Without that nothing can be mixed.
    package func assumeChannelLayout() {
        let count = pointee.ch_layout.nb_channels
        guard pointee.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC, count > 0 else { return }
        av_channel_layout_default(&pointee.ch_layout, count)
        guard pointee.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC, count < 64 else { return }
        av_channel_layout_from_mask(&pointee.ch_layout, 1 << UInt64(count) - 1)
    }
}
