import CLibAV
import LibAVBase
import Media

/// Which streams a container holds, and which of them a live destination may go without.
extension Destination {
    /// Of a publication, what is sent live: all, but for subtitles that the container cannot hold, and for a stream that it
    /// cannot hold where there is another of its kind, as where a publisher sends what is coded beside what is not.
    static func dispensing(_ streams: [StreamDescription], _ format: String, _ options: [(key: String, value: String)]) -> [StreamDescription] {
        let held = streams.filter { holds($0, format, options) }
        let sent = streams.filter { stream in
            held.contains { $0.index == stream.index }
                || !(stream.isSubtitle || held.contains { $0.isVideo == stream.isVideo && $0.isAudio == stream.isAudio })
        }
        // FLV has room for one picture and one sound.
        guard format == "flv" else { return sent }
        let first = [sent.first { $0.isVideo }, sent.first { $0.isAudio }].compactMap { $0?.index }
        return sent.filter { $0.isSubtitle || first.contains($0.index) }
    }

    /// Whether others will know such a stream in the container, as far as that can be told without writing.
    static func holds(_ stream: StreamDescription, _ format: String, _ options: [(key: String, value: String)]) -> Bool {
        guard let descriptor = avcodec_descriptor_get_by_name(stream.codec), let muxer = av_guess_format(format, nil, nil) else { return false }
        // WAV says yes to packets whose beginnings it does not keep.
        if format == "wav" || format == "w64" { return stream.codec.hasPrefix("pcm_") || stream.codec == "mp3" }
        let isFragmented = options.contains { $0.key == "hls_segment_type" && $0.value == "fmp4" }
        if ["mpegts", "rtp_mpegts"].contains(format) || (format == "hls" && !isFragmented) { return isOfTransportStreams(stream.codec) }
        // Negative: the container does not say.
        return avformat_query_codec(muxer, descriptor.pointee.id, FF_COMPLIANCE_NORMAL) != 0
    }

    /// libavformat puts any other codec into a transport stream as well, as private data that nobody reads again, and only logs it.
    private static func isOfTransportStreams(_ codec: String) -> Bool {
        [
            "h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "dirac", "cavs", "avs2", "avs3", "vvc",
            "aac", "aac_latm", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "opus", "s302m",
            "dvb_subtitle", "dvb_teletext", "webvtt", "smpte_klv", "timed_id3",
        ].contains(codec)
    }
}
