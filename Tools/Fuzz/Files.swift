import CLibAV
import Glibc
@testable import LibAV
import LibAVBase
import Media
@testable import Service

/// What lies in files that anybody may have written, and in packets of streams.

/// A list of segments, from which files are removed: none is named outside its folder.
func fuzzSegments(_ script: inout Script) {
    let folder = "/tmp/ipn-fuzz-\(getpid())/"
    mkdir(folder, 0o700)
    let path = folder + "cam.json"
    put(script.rest, into: path)
    guard var index = try? SegmentIndex(path: path) else { return }
    index.dropStrangers()
    for entry in index.entries {
        let file = index.path(of: entry)
        require(file.hasPrefix(folder) && !file.split(separator: "/").contains(".."), "\(file) is elsewhere")
    }
    // Written again, it is a list of the same.
    guard let first = index.entries.first else { return }
    index.close(index.path(of: first), .stopped, bytes: 1)
    require((try? SegmentIndex(path: path))?.entries.map(\.name) == index.entries.map(\.name), "another list")
}

/// An MP4 file as `ipn check` and whoever comes after a killed recorder read it.
func fuzzMovie(_ script: inout Script) {
    let path = "/tmp/ipn-fuzz-\(getpid()).mp4"
    put(script.rest, into: path)
    guard let file = try? MP4File(path: path, isWritable: false), let extents = try? file.extents() else { return }
    var place: UInt64 = 0
    for extent in extents {
        require(extent.start == place && extent.start + extent.header <= extent.end && extent.end <= file.size, "boxes overlap")
        place = extent.end
    }
    guard let plan = try? OrdinaryMP4.Plan(file) else { return }
    require(plan.end <= file.size, "more is kept than there is")
    _ = plan.moov.serialized
}

/// A key frame of a transport stream, in which the headers of its codec are looked for.
func fuzzParameters(_ script: inout Script) {
    let codec = script.below(2) == 0 ? "h264" : "hevc"
    let video = StreamDescription.Video(width: 16, height: 16, pixelFormat: "yuv420p")
    let stream = StreamDescription(index: 0, kind: .video(video), codec: codec, timeBase: .millisecond)
    let bytes = Array(script.rest)
    guard let parameters = try? CodecParameters.of(stream), let packet = try? Packet(),
        (try? packet.copy(CodedPacket(stream: 0, pts: 0, dts: 0), bytes.span.bytes)) != nil
    else { return }
    guard let found = ParameterSets.of(packet, parameters.pointer) else { return }
    // Each begins with a start code of four octets, where the packet may have had one of three.
    require(!found.isEmpty && found.count <= bytes.count / 3 * 4 + 4, "\(found.count) octets of \(bytes.count)")
}

private func put(_ bytes: UnsafeRawBufferPointer, into path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, write(descriptor, bytes.baseAddress, bytes.count) == bytes.count else { fatalError("\(path) cannot be written") }
}
