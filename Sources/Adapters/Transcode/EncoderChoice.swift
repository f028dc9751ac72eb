import CLibAV
import LibAVBase
import Media

/// Encoders by name.
enum EncoderChoice {
    /// - Parameter name: an encoder's, or a codec's for its usual encoder.
    /// - Throws: `.unsupportedCodec`, naming some that are there.
    static func find(_ name: String, _ type: AVMediaType) throws(MediaError) -> UnsafePointer<AVCodec> {
        LogTail.install()
        if let codec = avcodec_find_encoder_by_name(name), codec.pointee.type == type { return codec }
        let descriptor = avcodec_descriptor_get_by_name(name)
        if let descriptor, descriptor.pointee.type == type, let codec = avcodec_find_encoder(descriptor.pointee.id) { return codec }
        let kind = type == AVMEDIA_TYPE_VIDEO ? "video" : "audio"
        throw MediaError(
            .unsupportedCodec, object: name, what: "this libavcodec has no \(kind) encoder of that name",
            remedy: "it has \(known(type).joined(separator: ", ")); `ffmpeg -encoders` lists all")
    }

    /// Of those that streams are usually coded with, the ones that are there.
    private static func known(_ type: AVMediaType) -> [String] {
        let names =
            type == AVMEDIA_TYPE_VIDEO
            ? ["libx264", "libx265", "libopenh264", "libvpx", "libvpx-vp9", "libsvtav1", "mpeg4", "mpeg2video", "mjpeg"]
            : ["aac", "libopus", "libmp3lame", "libvorbis", "flac", "ac3", "pcm_s16le"]
        return names.filter { avcodec_find_encoder_by_name($0) != nil }
    }

    /// For a live stream: nothing is held back for the sake of a few bits.
    static func options(for codec: UnsafePointer<AVCodec>) -> [(key: String, value: String)] {
        switch String(cString: codec.pointee.name) {
        case "libx264": [("preset", "veryfast"), ("tune", "zerolatency"), ("forced-idr", "1")]
        case "libx265": [("preset", "ultrafast"), ("tune", "zerolatency"), ("forced-idr", "1"), ("x265-params", "log-level=none")]
        case "libvpx", "libvpx-vp9": [("deadline", "realtime"), ("cpu-used", "6"), ("lag-in-frames", "0")]
        case "libsvtav1": [("preset", "10")]
        default: []
        }
    }
}
