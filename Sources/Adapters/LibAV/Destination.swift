import CLibAV
import Glibc
import LibAVBase
import Media

/// Where a muxer writes: the container, the address and the options that go with it.
struct Destination {
    /// As the caller gave it.
    let url: String
    /// As libavformat takes it.
    let address: String
    /// libavformat's name of the container.
    let format: String
    /// A path on this machine, or nil.
    let path: String?
    /// Of the publication's streams, those that this destination takes at all.
    let streams: [StreamDescription]
    private(set) var options: [(key: String, value: String)]
    /// A list of files, in a folder that is made for it.
    var isPlaylist: Bool { format == "hls" || format == "dash" }
    /// libavformat opens nothing for it: it names its files itself, or writes none.
    var opensItself: Bool { av_guess_format(format, nil, nil).map { $0.pointee.flags & clibav_format_no_file() != 0 } ?? false }

    /// What to do about a codec that it cannot hold.
    var remedy: String {
        // NUT takes any, and so it knows raw pictures that Matroska does not.
        if path != nil && !isPlaylist {
            return format == "matroska" || streams.contains { $0.codec == "rawvideo" } ? "write .nut instead" : "write .mkv instead"
        }
        return address.isEmpty
            ? "publish it coded: ipn publish --encode libx264 --encode-audio aac" : "code it anew: ipn stream --video libx264 --audio aac"
    }

    /// What to choose of the streams where not all can go there; nothing where there is no choice.
    func choice(without stream: StreamDescription? = nil) -> String {
        guard path != nil, !isPlaylist, streams.count > 1 else { return "" }
        guard let stream else { return ", or choose what goes there: ipn record --streams" }
        let kinds = [("video", streams.contains(where: \.isVideo), stream.isVideo), ("audio", streams.contains(where: \.isAudio), stream.isAudio)]
        let others = kinds.filter { $0.1 && !$0.2 }.map(\.0)
        return others.isEmpty ? "" : ", or leave it out: ipn record --streams \(others.joined(separator: ","))"
    }

    /// - Parameter format: overrides the choice by protocol and file name.
    /// - Throws: `.unsupportedFormat`, `.noStreams`.
    init(
        url: String, format: String?, streams: [StreamDescription], options own: [(key: String, value: String)], continuing: Bool
    ) throws(MediaError) {
        self.url = url
        var scheme = LocalFile.scheme(of: url)
        if let name = scheme, !Self.isProtocol(name) {
            // `name:rest` may be a file; `name://rest` hardly is meant to be one.
            guard !url.dropFirst(name.count).hasPrefix("://") else {
                throw MediaError(
                    .unsupportedFormat, object: url, what: "this libavformat does not write to \(name):",
                    remedy: "`ffmpeg -protocols` lists what it speaks")
            }
            scheme = nil
        }
        path = scheme == nil ? url : scheme == "file" ? String(url.dropFirst("file:".count)) : nil
        // `name:rest` in a path would be taken for a protocol.
        address = path.map { "file:" + $0 } ?? url
        let candidates = scheme == "icecast" ? Array(streams.filter { $0.isAudio }.prefix(1)) : streams
        guard !candidates.isEmpty else {
            throw MediaError(.noStreams, object: url, what: streams.isEmpty ? "no streams to write" : "icecast carries sound, and there is none")
        }
        let format = if let format { format } else { try Self.format(scheme: scheme, url: url, streams: candidates) }
        self.format = format
        let isLive = path == nil || format == "hls" || format == "dash"
        self.streams =
            isLive
            ? Self.dispensing(candidates, format, own) : Self.isForSound(format) ? candidates.filter { $0.isAudio } : candidates
        guard !self.streams.isEmpty else {
            throw MediaError(.noStreams, object: url, what: "\(format) carries sound, and there is none", remedy: "write .mkv instead")
        }
        options = Self.defaults(format, scheme: scheme, continuing: continuing).filter { option in !own.contains { $0.key == option.key } }
        options += own
    }

    /// Something of ours, which is no address.
    init(name: String, format: String, streams: [StreamDescription], options own: [(key: String, value: String)]) throws(MediaError) {
        guard !streams.isEmpty else { throw MediaError(.noStreams, object: name, what: "no streams to write") }
        url = name
        address = ""
        path = nil
        self.format = format
        self.streams = Self.dispensing(streams, format, own)
        options = Self.defaults(format, scheme: nil, continuing: false).filter { option in !own.contains { $0.key == option.key } }
        options += own
    }

    /// Has an MP4 muxer write fragments, when it is told to flush.
    /// - Returns: false for another format, and where the user has chosen how it is written.
    mutating func makeFragmented() -> Bool {
        guard ["mp4", "mov", "ipod", "3gp"].contains(format), !options.contains(where: { $0.key == "movflags" }) else { return false }
        options.append(("movflags", "+frag_custom+delay_moov+default_base_moof+skip_trailer"))
        return true
    }

    static func isProtocol(_ scheme: String) -> Bool {
        if scheme == "rtsp" { return true }
        var cursor: UnsafeMutableRawPointer?
        while let name = avio_enum_protocols(&cursor, 1) {
            if String(cString: name) == scheme { return true }
        }
        return false
    }

    private static func format(scheme: String?, url: String, streams: [StreamDescription]) throws(MediaError) -> String {
        switch scheme {
        case "rtmp", "rtmps", "rtmpt", "rtmpts", "ffrtmphttp": return "flv"
        case "srt", "udp", "udplite", "rist", "tcp", "sctp", "unix": return "mpegts"
        case "rtp", "srtp": return streams.count == 1 ? "rtp" : "rtp_mpegts"
        case "rtsp": return "rtsp"
        case "icecast": return try icecastFormat(streams[0], url)
        default: break
        }
        let name = url.split(separator: "/").last.map(String.init) ?? url
        if let format = av_guess_format(nil, name, nil) { return Self.name(format) }
        // Some containers have no extension of their own: `x.framecrc`.
        if let dot = name.lastIndex(of: "."), let format = av_guess_format(String(name[name.index(after: dot)...]), nil, nil) {
            return Self.name(format)
        }
        throw MediaError(
            .unsupportedFormat, object: url, what: "its name does not tell the container",
            remedy: "end it in .mkv, .mp4, .ts, .webm or .m3u8, or name a format")
    }

    /// A container such as WAV, which has no picture of its own.
    private static func isForSound(_ name: String) -> Bool {
        guard let format = av_guess_format(name, nil, nil) else { return false }
        return format.pointee.video_codec == AV_CODEC_ID_NONE && format.pointee.audio_codec != AV_CODEC_ID_NONE
    }

    /// libavformat lists several names, separated by commas, for some: the first is enough to find it again.
    private static func name(_ format: UnsafePointer<AVOutputFormat>) -> String {
        String(String(cString: format.pointee.name).prefix { $0 != "," })
    }

    private static func icecastFormat(_ stream: StreamDescription, _ url: String) throws(MediaError) -> String {
        switch stream.codec {
        case "opus", "vorbis", "flac", "speex": return "ogg"
        case "mp3": return "mp3"
        case "aac": return "adts"
        default:
            throw MediaError(
                .unsupportedCodec, object: url, what: "icecast cannot carry \(stream.codec)",
                remedy: "publish sound as opus, vorbis, mp3 or aac")
        }
    }

    private static func defaults(_ format: String, scheme: String?, continuing: Bool) -> [(key: String, value: String)] {
        var options: [(key: String, value: String)] = []
        if format == "dash" {
            // The same for DASH.
            options += [("seg_duration", "2"), ("window_size", "6"), ("extra_window_size", "3")]
            // What follows another presentation has names of its own: a player, or a cache, may hold files of the one before.
            if continuing {
                let name = "$RepresentationID$-\(UInt64(time(nil)))"
                options += [("init_seg_name", "init-stream\(name).$ext$"), ("media_seg_name", "chunk-stream\(name)-$Number%05d$.$ext$")]
            }
        }
        // Datagrams would be lost without a word.
        if format == "rtsp" { options.append(("rtsp_transport", "tcp")) }
        if format == "hls" {
            // A live window of 12 s, complete files only, so that a web server may serve the folder as it is.
            options += [
                ("hls_time", "2"), ("hls_list_size", "6"), ("hls_delete_threshold", "3"),
                ("hls_flags", "delete_segments+temp_file+independent_segments" + (continuing ? "+append_list" : "")),
            ]
        }
        // What is lost where the recorder is killed: a second, not the five that are the muxer's own choice.
        if format == "matroska" || format == "webm" { options.append(("cluster_time_limit", "1000")) }
        // SRT in live mode drops at the end what was not sent yet, unless told to stay.
        if scheme == "srt" { options.append(("linger", "3")) }
        // Otherwise nobody hears what the server says of it.
        if let scheme, ["http", "https"].contains(scheme), format != "hls", format != "dash" { options.append(("send_expect_100", "1")) }
        if scheme == "icecast" {
            let types = ["ogg": "audio/ogg", "adts": "audio/aac", "mp3": "audio/mpeg"]
            if let type = types[format] { options.append(("content_type", type)) }
        }
        return options
    }
}
