import LibAV
package import Media

/// A recording as `ipn check` tells of it.
package struct RecordingCheck {
    private let path: String
    private let inspection: Inspection

    /// - Throws: `.notFound`, `.unsupportedFormat`, … where it cannot be read at all.
    package init(_ path: String, stop: StopFlag) throws(MediaError) {
        self.path = path
        inspection = try Inspection.of(path, stop: stop)
    }

    package var isWhole: Bool { inspection.state == .whole }

    /// `cam.mp4: whole: 12.0 s; #0 h264 640x360 25 fps: 300 packets, 12 key frames`, and a line for each finding.
    package var lines: [String] {
        let tracks = inspection.tracks.map { track in
            "; \(track.stream): \(track.packets) packets" + (track.stream.isVideo ? ", \(track.keyFrames) key frames" : "")
        }
        let state = !isWhole && FileClaim.isHeld(path) ? "being recorded" : "\(inspection.state)"
        return ["\(path): \(state): \(inspection.seconds.rounded(to: 1)) s\(tracks.joined())"]
            + inspection.findings.map { "\(path): \($0)" }
    }

    /// - Returns: packets that could not be kept.
    /// - Throws: where it cannot be repaired; the file is as it was then.
    package static func repair(_ path: String, to output: String?, stop: StopFlag) throws(MediaError) -> Int {
        guard !FileClaim.isHeld(path) else {
            throw MediaError(.cannotOpen, object: path, what: "is being recorded", remedy: "repair it when its recorder has ended")
        }
        return try Repair.run(path, to: output, stop: stop)
    }
}
