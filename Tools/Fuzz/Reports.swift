@testable import Service

/// What a supervised process says of its progress: it is read as it would be written, or not at all, and can be shown.
func fuzzProgress(_ script: inout Script) {
    let line = String(decoding: script.rest, as: UTF8.self)
    guard let progress = Progress(record: line[...]) else { return }
    require(Progress(record: progress.record[...]) == progress, "read again it is another")
    var earlier = Progress()
    earlier.frames = progress.packets
    earlier.bytes = progress.frames
    for seconds in [0.001, 1, 86400] {
        require(!progress.line(since: earlier, seconds: seconds).isEmpty, "nothing to show")
        require(!earlier.line(since: progress, seconds: seconds).isEmpty, "nothing to show")
    }
}

/// What a browser, or a page in it, asks a server for: answered, refused, or waited for.
func fuzzRequest(_ script: inout Script) {
    let bytes = Array(script.rest)
    guard case .request(let request) = HTTPRequest.parse(bytes) else { return }
    require(request.path.hasPrefix("/") && request.path.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "a path that is none")
    // Whatever is behind the head changes nothing.
    require(HTTPRequest.parse(bytes + [65]) == .request(request), "another request")
}
