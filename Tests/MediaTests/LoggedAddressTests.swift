import Media
import Testing

/// What may be shown of an address.
@Suite struct LoggedAddressTests {
    @Test(arguments: [
        ("rtsp://me:hunter2@host/1", "rtsp://me:…@host/1"),
        ("rtsp://host:554/1", "rtsp://host:554/1"),
        ("rtmp://me:hunter2@host:1935/live/hunter2", "rtmp://me:…@host:1935/live/…"),
        ("rtmp://host/live/hunter2/and/more?key=hunter2", "rtmp://host/live/…?key=…"),
        ("rtmp://host/live", "rtmp://host/live"),
        ("srt://host:9000?mode=caller&passphrase=hunter2&latency=200", "srt://host:9000?mode=caller&passphrase=…&latency=200"),
        ("srt://host:9000?streamid=publish:cam:me:hunter2", "srt://host:9000?streamid=…"),
        ("http://host/x?key=hunter2", "http://host/x?key=…"),
        ("icecast://source:hunter2@host:8000/cam.ogg", "icecast://source:…@host:8000/cam.ogg"),
        ("/tmp/a?key=1", "/tmp/a?key=1"),
        ("out:b.mkv", "out:b.mkv"),
    ]) func nothingThatOpensDoors(address: String, shown: String) {
        #expect(LoggedAddress(address).description == shown)
        #expect(!LoggedAddress(address).description.contains("hunter2"))
    }

    /// The library's own words quote addresses, and parts of them.
    @Test func errorsDoNotTellEither() {
        let error = MediaError(
            .refused, object: "rtmp://me:hunter2@host/live/s3cretkey", what: "cannot be opened",
            cause: "libav: Cannot open tcp://me:hunter2@host:1935; Stream s3cretkey is published already")
        #expect(
            error.description
                == "rtmp://me:…@host/live/…: cannot be opened (libav: Cannot open tcp://me:…@host:1935; Stream … is published already)")
    }
}
